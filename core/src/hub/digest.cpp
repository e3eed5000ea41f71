// SPDX-License-Identifier: GPL-3.0-or-later
#include "hub/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "adamerge/error.h"

namespace adamerge::hub {
namespace {

EVP_MD_CTX* contextOf(const std::shared_ptr<void>& context) {
  return static_cast<EVP_MD_CTX*>(context.get());
}

void check(int result) {
  if (result != 1) throw Error("OpenSSL cannot compute the hash of a file here");
}

}  // namespace

Digest::Digest(std::string_view hash, std::int64_t bytes)
    : context_(EVP_MD_CTX_new(),
               [](void* context) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }) {
  const bool sha256 = hash.size() == kSha256Digits;
  check(EVP_DigestInit_ex(contextOf(context_), sha256 ? EVP_sha256() : EVP_sha1(), nullptr));
  if (!sha256) {
    add(fmt::format("blob {}", bytes));
    add(std::string_view("\0", 1));
  }
}

void Digest::add(std::string_view bytes) {
  check(EVP_DigestUpdate(contextOf(context_), bytes.data(), bytes.size()));
}

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned size = 0;
  check(EVP_DigestFinal_ex(contextOf(context_), hash.data(), &size));
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", hash[i]);
  return text;
}

}  // namespace adamerge::hub
