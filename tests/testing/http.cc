#include "tests/testing/http.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace contacts::testing {
namespace {

std::size_t Append(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

using Curl = std::unique_ptr<CURL, void (*)(CURL*)>;

Curl NewCurl(std::string* answer) {
  Curl curl(curl_easy_init(), curl_easy_cleanup);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 30L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, Append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, answer);
  return curl;
}

}  // namespace

int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(socket, generic, size) != 0 || getsockname(socket, generic, &size) != 0) std::abort();
  close(socket);
  return ntohs(address.sin_port);
}

std::string HttpGet(int port, const std::string& path, const std::string& name,
                    const std::string& value) {
  std::string answer;
  const Curl curl = NewCurl(&answer);
  std::string url = absl::StrCat("http://127.0.0.1:", port, path);
  if (!name.empty()) {
    const std::unique_ptr<char, void (*)(void*)> escaped(
        curl_easy_escape(curl.get(), value.data(), static_cast<int>(value.size())), curl_free);
    absl::StrAppend(&url, "?", name, "=", escaped.get());
  }
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  return curl_easy_perform(curl.get()) == CURLE_OK ? answer : "";
}

std::string HttpHead(int port, const std::string& path) {
  std::string answer;
  const Curl curl = NewCurl(&answer);
  curl_easy_setopt(curl.get(), CURLOPT_URL, absl::StrCat("http://127.0.0.1:", port, path).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_NOBODY, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_HEADER, 1L);
  return curl_easy_perform(curl.get()) == CURLE_OK ? answer : "";
}

HttpsAnswer HttpsGet(int port, const std::string& path, const CertificateAuthority& authority,
                     const std::optional<CertificateAndKey>& own) {
  HttpsAnswer answer;
  const Curl curl = NewCurl(&answer.body);
  const auto set_blob = [&](CURLoption option, const std::string& text) {
    curl_blob blob = {const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
    curl_easy_setopt(curl.get(), option, &blob);
  };
  curl_easy_setopt(curl.get(), CURLOPT_URL, absl::StrCat("https://127.0.0.1:", port, path).c_str());
  set_blob(CURLOPT_CAINFO_BLOB, authority.certificate());
  if (own) {
    set_blob(CURLOPT_SSLCERT_BLOB, own->certificate);
    set_blob(CURLOPT_SSLKEY_BLOB, own->key);
  }
  if (curl_easy_perform(curl.get()) == CURLE_OK) {
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  }
  return answer;
}

std::vector<std::string> Scrape(int port) {
  return absl::StrSplit(HttpGet(port, "/metrics"), '\n');
}

}  // namespace contacts::testing
