// SPDX-License-Identifier: GPL-3.0-or-later
// Has nothing of its own: tests/CMakeLists.txt precompiles headers for it that all tests share.
