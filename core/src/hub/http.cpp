// SPDX-License-Identifier: GPL-3.0-or-later
#include "hub/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <utility>

namespace adamerge::hub {
namespace {

constexpr int kMostRedirects = 6;
constexpr long kConnectSeconds = 15;
constexpr long kSilenceSeconds = 30;
/// A wake-up call may come before the wait, so no wait is long.
constexpr int kPollMilliseconds = 50;
constexpr std::size_t kLargestBody = 32U << 20U;

CURLM* multiOf(const std::shared_ptr<void>& handle) { return static_cast<CURLM*>(handle.get()); }
CURL* easyOf(const std::shared_ptr<void>& handle) { return static_cast<CURL*>(handle.get()); }

std::string urlPart(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

/// Scheme, host and port; empty for what is no URL.
std::string originOf(const std::string& text) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return {};
  std::string origin = fmt::format("{}://{}:{}", urlPart(url.get(), CURLUPART_SCHEME),
                                   urlPart(url.get(), CURLUPART_HOST),
                                   urlPart(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  std::transform(origin.begin(), origin.end(), origin.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return origin;
}

/// The variables by which the hub's own client and OpenSSL's programs are given authorities.
const char* certificates() {
  for (const char* name : {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"}) {
    const char* value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return nullptr;
}

void allowOnlyHttp(CURL* easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
}

}  // namespace

bool Response::isPage() const { return header("content-type").starts_with("text/html"); }

std::string Response::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

/// What libcurl's callbacks see.
struct HttpClient::Transfer {
  CURL* easy = nullptr;
  const Sink* sink = nullptr;
  Response response;
  std::exception_ptr failure;  // must not unwind through C

  bool takes(std::string_view bytes) {
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &response.status);
    // A page in place of a file is no file.
    if (response.ok() && *sink && !response.isPage()) {
      constexpr long kPartialContent = 206;
      (*sink)(bytes, response.status != kPartialContent);
    } else {
      if (response.body.size() + bytes.size() > kLargestBody) return false;
      response.body += bytes;
    }
    return true;
  }

  static std::size_t write(const char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    try {
      return transfer.takes({data, size * count}) ? size * count : 0;
    } catch (...) {
      transfer.failure = std::current_exception();
      return 0;
    }
  }

  static std::size_t readHeader(const char* data, std::size_t size, std::size_t count, void* self) {
    const std::string_view line(data, size * count);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return line.size();
    std::string name(line.substr(0, colon));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n')) value.remove_suffix(1);
    static_cast<Transfer*>(self)->response.headers[name] = value;
    return line.size();
  }
};

HttpClient::HttpClient(const Settings& settings, std::stop_token stop)
    : settings_(settings), stop_(std::move(stop)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  multi_ = {curl_multi_init(), [](void* multi) { curl_multi_cleanup(static_cast<CURLM*>(multi)); }};
  easy_ = {curl_easy_init(), [](void* easy) { curl_easy_cleanup(static_cast<CURL*>(easy)); }};
  if (!multi_ || !easy_) throw Error("libcurl cannot be started here");
}

HttpClient::~HttpClient() = default;

std::string HttpClient::escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' ||
                       c == '_' || c == '~';
    result += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return result;
}

Response HttpClient::get(const std::string& url, const Sink& sink, std::int64_t offset) {
  std::string at = url;
  for (int redirects = 0; redirects <= kMostRedirects; ++redirects) {
    std::string next;
    Response response = getOnce(at, sink, offset, next);
    if (next.empty()) return response;
    if (at.starts_with("https:") && !next.starts_with("https:")) {
      throw Error(fmt::format("{}: it sends on to an address without encryption, which is refused",
                              originOf(at)));
    }
    at = next;
  }
  throw Error(fmt::format("{}: it sends from address to address without an end", originOf(url)));
}

Response HttpClient::getOnce(const std::string& url, const Sink& sink, std::int64_t offset,
                             std::string& redirect) {
  CURL* easy = easyOf(easy_);
  curl_easy_reset(easy);
  Transfer transfer;
  transfer.easy = easy;
  transfer.sink = &sink;
  std::array<char, CURL_ERROR_SIZE> problem{};
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, problem.data());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "adamerge-studio");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);  // a name being looked up holds up no cancelling
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, kSilenceSeconds);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::write);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::readHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  allowOnlyHttp(easy);
  if (const char* bundle = certificates()) curl_easy_setopt(easy, CURLOPT_CAINFO, bundle);
  if (offset > 0) {
    curl_easy_setopt(easy, CURLOPT_RANGE, fmt::format("{}-", offset).c_str());
  }
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, curl_slist_free_all);
  const std::string origin = originOf(url);
  const bool at_home = !origin.empty() && origin == originOf(settings_.endpoint);
  if (!settings_.token.empty() && at_home) {
    headers.reset(curl_slist_append(nullptr, ("Authorization: Bearer " + settings_.token).c_str()));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  }

  CURLM* multi = multiOf(multi_);
  curl_multi_add_handle(multi, easy);
  const std::unique_ptr<CURL, std::function<void(CURL*)>> removed(
      easy, [multi](CURL* handle) { curl_multi_remove_handle(multi, handle); });
  const std::stop_callback wake(stop_, [multi] { curl_multi_wakeup(multi); });
  int running = 1;
  while (running > 0) {
    throwIfStopped(stop_);
    if (curl_multi_perform(multi, &running) != CURLM_OK) {
      throw TransferError(fmt::format("{}: the transfer failed", originOf(url)));
    }
    if (running > 0) curl_multi_poll(multi, nullptr, 0, kPollMilliseconds, nullptr);
  }
  throwIfStopped(stop_);
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi, &left);
  const CURLcode code = message == nullptr ? CURLE_OK : message->data.result;
  if (transfer.failure) std::rethrow_exception(transfer.failure);
  if (code != CURLE_OK) {
    const std::string reason = problem[0] != '\0' ? problem.data() : curl_easy_strerror(code);
    throw TransferError(fmt::format("{}: {}", originOf(url), reason));
  }
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &transfer.response.status);
  char* target = nullptr;
  curl_easy_getinfo(easy, CURLINFO_REDIRECT_URL, &target);
  if (target != nullptr) redirect = target;
  return std::move(transfer.response);
}

}  // namespace adamerge::hub
