# SPDX-License-Identifier: GPL-3.0-or-later
# Everything from a bare Debian 12 or 13: `make run`, `make test`. The rest is for developers.

BUILD   := build
SAMPLE  := resources/samples/bird.png
SHOTS   := $(BUILD)/screenshots
FIGURES := $(BUILD)/figures
SOURCES := $(shell git ls-files '*.cpp' '*.h' 2>/dev/null)

.PHONY: run test test-asan test-tsan python test-python soak fuzz package bundle bench bench-tiny bench-small bench-base gpu-kit \
  screenshots pictures manual build packages \
  format lint clean

packages:
	@.ci/packages

build: packages
	cmake --preset release
	cmake --build --preset release --target adamerge adamerge-studio

# Without a display the command line does the studio's job; only that is built then.
ifneq ($(DISPLAY)$(WAYLAND_DISPLAY)$(QT_QPA_PLATFORM),)
run: build
	OMP_WAIT_POLICY=passive $(BUILD)/bin/adamerge-studio $(SAMPLE)
else
run: packages
	cmake --preset release
	cmake --build --preset release --target adamerge
	OMP_WAIT_POLICY=passive $(BUILD)/bin/adamerge inspect $(SAMPLE) --out $(FIGURES)
	@echo "There is no display, so the studio stays closed: the figures are in $(CURDIR)/$(FIGURES)."
	@echo "Your own picture: $(BUILD)/bin/adamerge inspect PICTURE --out FOLDER"
endif

# Every screen, light and dark, at three sizes.
screenshots: build
	resources/screenshots.sh $(BUILD)/bin/adamerge-studio $(SHOTS)

# The pictures of the manual, which are kept in the tree.
pictures: build
	@.ci/packages imagemagick
	docs/pictures.sh $(BUILD)

# The README and the chapters of docs/ as one page, build/manual.html.
CHAPTERS := README.md $(addprefix docs/,first-steps.md studio.md command-line.md methods.md lenses.md flops.md models.md \
  dense.md figures.md traces.md files.md performance.md gpu.md robustness.md building.md) core/README.md models/README.md
manual:
	@.ci/packages pandoc
	mkdir -p $(BUILD)
	pandoc --standalone --self-contained --quiet --toc --toc-depth=2 --mathml --from=gfm+tex_math_dollars+attributes \
	  --metadata title="AdaMerge Studio: the manual" --css=docs/manual.css --lua-filter=docs/manual.lua \
	  --resource-path=.:docs --output=$(BUILD)/manual.html $(CHAPTERS)

test: packages
	cmake --preset release -DADAMERGE_BUILD_TESTS=ON
	cmake --build --preset release
	ctest --preset release

# Under sanitizers, each in a build folder of its own: addresses and undefined behaviour in all tests,
# threads in those of what runs threads of ours.
test-asan test-tsan: test-%: packages
	cmake --preset $*
	cmake --build --preset $*
	ctest --preset $*

# Long: ten thousand actions of a hurried user under the address sanitizer, and `evaluate` for HOURS
# with its memory watched.
HOURS := 8
soak: packages
	cmake --preset asan
	cmake --build --preset asan --target ui_tests
	ADAMERGE_WALK_STEPS=10000 QT_QPA_PLATFORM=offscreen OMP_WAIT_POLICY=passive \
	  LSAN_OPTIONS=suppressions=tests/sanitizers/leaks.supp build-asan/bin/ui_tests RandomWalkTest -maxwarnings 0
	cmake --preset release
	cmake --build --preset release --target adamerge
	tests/faults/soak.py $(BUILD)/bin/adamerge models/vit-tiny-cifar10 --size 56 --rate 60 --seconds $$(($(HOURS) * 3600))

# The core as a module of Debian's Python, in build/python, where the package of app/python finds it.
python: packages
	cmake --preset release
	cmake --build --preset release --target adamerge adamerge_python

# The package `adamerge` with the newest timm and PyTorch, and with the public code of ToMe and PiToMe, in an
# environment of its own below the build folder.
test-python: packages
	@.ci/packages python3-venv git
	cmake --preset release
	cmake --build --preset release --target adamerge adamerge_python
	tests/python/public_code.sh $(BUILD)

# All readers of what strangers hand over, each for SECONDS, with clang and its sanitizers.
SECONDS := 60
fuzz: packages
	@.ci/packages clang-19 libclang-rt-19-dev libomp-19-dev
	cmake --preset fuzz
	cmake --build --preset fuzz
	tests/fuzz/run.sh build-fuzz $(SECONDS)

# A .deb of this Debian release, in the build folder.
package: packages
	@.ci/packages dpkg-dev file
	cmake --preset release
	cmake --build --preset release --target adamerge adamerge-studio adamerge-train adamerge_python
	cd $(BUILD) && cpack

# The programs with all they need, for other distributions: a tarball that runs where it is unpacked.
bundle: packages
	@.ci/packages patchelf xz-utils
	cmake --preset release
	cmake --build --preset release --target adamerge adamerge-studio adamerge-train
	resources/packaging/bundle.sh $(BUILD)

bench: packages
	cmake --preset release -DADAMERGE_BUILD_BENCHMARKS=ON
	cmake --build --preset release --target adamerge adamerge_benchmarks adamerge_studio_benchmark
	OMP_WAIT_POLICY=passive $(BUILD)/bin/adamerge_benchmarks --benchmark_min_time=0.2
	$(MAKE) bench-tiny
	$(MAKE) bench-small
	$(MAKE) bench-base
	OMP_WAIT_POLICY=passive $(BUILD)/bin/adamerge_studio_benchmark

# One model size, random weights: every method at the FLOPs of ToMe, r = 8. The times stay in a file
# for `adamerge bench --compare`. One after the other: what runs beside would falsify them.
bench-tiny:  FLOPS := 0.92
bench-small: FLOPS := 3.47
bench-base:  FLOPS := 13.4
bench-tiny bench-small bench-base: bench-%:
	OMP_WAIT_POLICY=passive $(BUILD)/bin/adamerge bench --architecture vit_$*_patch16_224 \
	  --flops $(FLOPS) --runs 5 --warmup 1 --json $(BUILD)/bench-$*.json

# What a machine with a GPU needs to test and measure the engine there; docs/gpu.md.
gpu-kit: packages
	mkdir -p $(BUILD)
	python3 tests/gpu/kit.py pack $(BUILD)/gpu-kit.tar.gz

format:
	clang-format -i $(SOURCES)

# clang cannot read the compiler's precompiled headers, so it gets a configuration without them; and
# Debian's clang-tidy 14 cannot parse LibTorch 1.13's headers as C++20, so files that include them are
# left to the compiler.
WITHOUT_TORCH := $(shell git ls-files 'app/*.cpp' 'ui/*.cpp' 'core/src/imaging/*.cpp' 'core/src/figures/*.cpp' \
  'core/src/datasets/*.cpp' 'core/src/measure/*.cpp' ':!core/src/measure/machine.cpp' ':!core/src/measure/calibrate.cpp' \
  'core/src/support/*.cpp') \
  core/src/engine/descriptions.cpp core/src/engine/flops.cpp core/src/engine/report.cpp \
  core/src/engine/result.cpp core/src/merging/settings.cpp
lint: packages
	clang-format --dry-run --Werror $(SOURCES)
	cmake -S . -B $(BUILD)-lint -G Ninja -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON -DCMAKE_UNITY_BUILD=OFF \
	  -DADAMERGE_BUILD_TESTS=OFF
	clang-tidy --quiet -p $(BUILD)-lint $(WITHOUT_TORCH)

clean:
	rm -rf $(BUILD)
