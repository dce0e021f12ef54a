#include "core/mail/smtp.h"

#include <curl/curl.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "core/domain/email_address.h"
#include "core/letter/mime.h"

namespace contacts {
namespace {

constexpr long kLongestIdleSeconds = 60;
constexpr int64_t kMostReplyBytes = 64 * 1024;
constexpr int kTaken = 250;
constexpr char kNoUtf8[] = "the mail server does not offer SMTPUTF8, which the address needs";
constexpr std::size_t kCodeSize = 4;  // With the blank or hyphen after it.

// The last command.
enum class Step { kConnect, kAuth, kSender, kRecipient, kData, kMessage };

const char* Name(Step step) {
  switch (step) {
    case Step::kConnect: return "connect";
    case Step::kAuth: return "AUTH";
    case Step::kSender: return "MAIL";
    case Step::kRecipient: return "RCPT";
    case Step::kData: return "DATA";
    case Step::kMessage: return "message";
  }
  return "";
}

// The code of a reply's last line. 0 for a line that others follow, and for other text.
int FinalCode(absl::string_view line) {
  int code = 0;
  const bool last = line.size() == 3 || (line.size() > 3 && line[3] != '-');
  return last && absl::SimpleAtoi(line.substr(0, 3), &code) ? code : 0;
}

// Whether a reply of 5xx is about the recipient, by its enhanced status code (RFC 3463):
// 5.1.x about the recipient's address, 5.2.x about its mailbox, 5.6.7 and 5.6.9 (RFC 6531) about an
// address that is not in ASCII. Everything else is about the
// service, such as 5.1.0, 5.1.7 and 5.1.8 (the sender), 5.5.x (the name in EHLO), 5.7.x (relaying,
// TLS, policy).
bool IsAboutRecipient(absl::string_view reply, bool in_utf8) {
  if (reply.size() <= kCodeSize) return false;
  const std::vector<absl::string_view> words = absl::StrSplit(reply.substr(kCodeSize), ' ');
  for (const char* code : {"5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10"}) {
    if (words.front() == code) return true;
  }
  const bool about_utf8 = words.front() == "5.6.7" || words.front() == "5.6.9";
  return absl::StartsWith(words.front(), "5.2.") || (in_utf8 && about_utf8);
}

std::string PercentEncoded(const std::string& name) {
  std::string encoded;
  for (const char c : name)
    absl::StrAppendFormat(&encoded, "%%%02X", static_cast<unsigned char>(c));
  return encoded;
}

long CurlMillis(absl::Duration duration) {
  return std::max<long>(1, absl::ToInt64Milliseconds(duration));
}

}  // namespace

// A libcurl handle with its connection and the state of the SMTP dialogue on it. Used by one
// thread at a time.
class SmtpTransport::Connection {
 public:
  Connection(const SmtpOptions& options, const std::atomic<bool>* interrupted)
      : options_(options), interrupted_(interrupted), curl_(curl_easy_init()) {
    if (curl_ == nullptr) return;
    SetServer();
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_QUICK_EXIT, 1L);  // A silent name server must not delay the end.
    Set(CURLOPT_MAXCONNECTS, 1L);
    Set(CURLOPT_MAXAGE_CONN, kLongestIdleSeconds);
    Set(CURLOPT_CONNECTTIMEOUT_MS, CurlMillis(options.connect_timeout));
    Set(CURLOPT_SOCKOPTFUNCTION, &OnSocket);
    Set(CURLOPT_SOCKOPTDATA, this);
    Set(CURLOPT_CLOSESOCKETFUNCTION, &OnClose);
    Set(CURLOPT_CLOSESOCKETDATA, this);
    Set(CURLOPT_UPLOAD, 1L);
    Set(CURLOPT_READFUNCTION, &OnRead);
    Set(CURLOPT_READDATA, this);
    Set(CURLOPT_HEADERFUNCTION, &OnReply);
    Set(CURLOPT_HEADERDATA, this);
    Set(CURLOPT_NOPROGRESS, 0L);
    Set(CURLOPT_XFERINFOFUNCTION, &OnProgress);
    Set(CURLOPT_XFERINFODATA, this);
    // Shows which command a reply answers.
    Set(CURLOPT_VERBOSE, 1L);
    Set(CURLOPT_DEBUGFUNCTION, &OnTalk);
    Set(CURLOPT_DEBUGDATA, this);
    Set(CURLOPT_ERRORBUFFER, error_);
  }

  ~Connection() {
    if (curl_ == nullptr) return;
    // libcurl sends QUIT and would wait two minutes for the answer.
    if (Socket() != CURL_SOCKET_BAD) shutdown(Socket(), SHUT_RD);
    curl_easy_cleanup(curl_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  DeliveryResult Deliver(const std::string& from, const std::string& to,
                         const std::string& message) {
    using Kind = DeliveryResult::Kind;
    if (curl_ == nullptr) return {Kind::kTryLater, "libcurl: no handle"};
    needs_utf8_ = !IsAscii(to);
    const absl::Time deadline = absl::Now() + options_.timeout;
    CURLcode result = Perform(from, to, message, options_.timeout);
    // The server may have closed a kept connection, or be about to.
    if (result != CURLE_OK && reused_ && step_ <= Step::kSender && !aborted_ &&
        result != CURLE_OPERATION_TIMEDOUT) {
      result = Perform(from, to, message, deadline - absl::Now());
    }
    const int code = FinalCode(reply_);
    if (result == CURLE_OK && ended_ && code == kTaken) return {Kind::kDelivered, reply_};
    return {KindOf(code), Describe(result)};
  }

  // Whether another delivery may use the connection. False if an answer is missing or the server
  // sent more than it was asked for: the next command would take that for its answer.
  bool InStep() const {
    return curl_ != nullptr && !aborted_ && FinalCode(reply_) != 0 && !HasUnasked();
  }

 private:
  template <typename Value>
  void Set(CURLoption option, Value value) {
    curl_easy_setopt(curl_, option, value);
  }

  void SetServer() {
    const bool implicit = options_.tls == MailTls::kImplicit;
    Set(CURLOPT_URL, absl::StrCat(implicit ? "smtps://" : "smtp://", options_.host, ":",
                                  options_.port, "/", PercentEncoded(options_.ehlo))
                         .c_str());
    Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    Set(CURLOPT_PROXY, "");  // Ignores http_proxy and similar variables.
    const bool required = implicit || options_.tls == MailTls::kRequired;
    Set(CURLOPT_USE_SSL, static_cast<long>(required                             ? CURLUSESSL_ALL
                                           : options_.tls == MailTls::kOptional ? CURLUSESSL_TRY
                                                                                : CURLUSESSL_NONE));
    Set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    Set(CURLOPT_SSL_VERIFYPEER, 1L);
    Set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!options_.ca_file.empty()) {
      Set(CURLOPT_CAINFO, options_.ca_file.c_str());
      Set(CURLOPT_CAPATH, nullptr);  // Only this file.
    }
    if (!options_.user.empty()) {
      Set(CURLOPT_USERNAME, options_.user.c_str());
      Set(CURLOPT_PASSWORD, options_.password.c_str());
    }
  }

  CURLcode Perform(const std::string& from, const std::string& to, const std::string& message,
                   absl::Duration limit) {
    step_ = Step::kConnect;
    reply_.clear();
    rest_ = message;
    ended_ = aborted_ = quitting_ = false;
    why_aborted_.clear();
    received_of_delivery_ = 0;
    error_[0] = '\0';
    const std::unique_ptr<curl_slist, void (*)(curl_slist*)> recipients(
        curl_slist_append(nullptr, to.c_str()), curl_slist_free_all);
    Set(CURLOPT_MAIL_FROM, from.c_str());
    Set(CURLOPT_MAIL_RCPT, recipients.get());
    Set(CURLOPT_TIMEOUT_MS, CurlMillis(limit));
    // The same limit for each answer, because libcurl does not apply the limit above everywhere.
    Set(CURLOPT_SERVER_RESPONSE_TIMEOUT, std::max<long>(1, absl::ToInt64Seconds(limit)));
    const CURLcode result = curl_easy_perform(curl_);
    Set(CURLOPT_MAIL_RCPT, nullptr);
    long opened = 0;
    curl_easy_getinfo(curl_, CURLINFO_NUM_CONNECTS, &opened);
    reused_ = opened == 0;
    return result;
  }

  DeliveryResult::Kind KindOf(int code) const {
    using Kind = DeliveryResult::Kind;
    if (aborted_ && *interrupted_) return Kind::kInterrupted;
    // After HELO alone it is not known what the server offers.
    if (why_aborted_ == kNoUtf8) {
      return LoggedIn() && !helo_ ? Kind::kRejected : Kind::kServerTrouble;
    }
    const bool permanent = code >= 500 && code <= 599;
    const bool of_message = step_ == Step::kMessage && ended_;
    if (permanent && (of_message || step_ == Step::kRecipient) &&
        IsAboutRecipient(reply_, needs_utf8_) && LoggedIn()) {
      return Kind::kRejected;
    }
    // A 5xx to the message may be about its content.
    if (step_ <= Step::kSender || !LoggedIn()) return Kind::kServerTrouble;
    return permanent && step_ != Step::kMessage ? Kind::kUnclear : Kind::kTryLater;
  }

  // A connection without the wanted login rejects every recipient, for no reason of the
  // recipient's.
  bool LoggedIn() const { return options_.user.empty() || authenticated_; }

  std::string Describe(CURLcode result) const {
    if (aborted_) return why_aborted_;
    // An answer to a login may repeat the login.
    const std::string said = step_ == Step::kAuth ? reply_.substr(0, 3) : reply_;
    const std::string error = error_[0] != '\0' ? error_ : curl_easy_strerror(result);
    return absl::StrCat(Name(step_), ": ", FinalCode(reply_) >= 400 ? said : error);
  }

  // The connection's socket. While it is being opened there may be one for each of
  // the server's addresses. libcurl closes all but one.
  curl_socket_t Socket() const { return sockets_.empty() ? CURL_SOCKET_BAD : sockets_.back(); }

  // Whether the server sent something that no command asked for.
  bool HasUnasked() const {
    if (Socket() == CURL_SOCKET_BAD) return false;
    pollfd poller = {.fd = Socket(), .events = POLLIN, .revents = 0};
    if (poll(&poller, 1, 0) != 0) return true;
    if (encrypted_) return false;
    // libcurl may have read it together with an answer. The kernel has counted it.
    tcp_info info{};
    socklen_t size = sizeof(info);
    return getsockopt(Socket(), IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
           info.tcpi_bytes_received > received_;
  }

  void Abort(const char* why) {
    aborted_ = true;
    why_aborted_ = why;
  }

  static int OnSocket(void* self, curl_socket_t socket, curlsocktype) {
    auto* const connection = static_cast<Connection*>(self);
    connection->sockets_.push_back(socket);
    connection->encrypted_ = connection->options_.tls == MailTls::kImplicit;
    connection->authenticated_ = false;
    connection->received_ = 0;
    return CURL_SOCKOPT_OK;
  }

  static int OnClose(void* self, curl_socket_t socket) {
    std::erase(static_cast<Connection*>(self)->sockets_, socket);
    return close(socket);
  }

  static std::size_t OnRead(char* buffer, std::size_t size, std::size_t count, void* self) {
    return static_cast<Connection*>(self)->Read(buffer, size * count);
  }
  // Called until it returns 0, because libcurl does not know the size.
  std::size_t Read(char* buffer, std::size_t size) {
    if (rest_.empty()) {
      // Next comes the end of the message. An answer that has already arrived does not answer it.
      if (HasUnasked()) {
        Abort("message: answered before its end");
        return CURL_READFUNC_ABORT;
      }
      ended_ = true;
      reply_.clear();
      return 0;
    }
    if (!LoggedIn()) {
      Abort("AUTH: not offered by the server");
      return CURL_READFUNC_ABORT;
    }
    step_ = Step::kMessage;
    size = std::min(size, rest_.size());
    std::memcpy(buffer, rest_.data(), size);
    rest_.remove_prefix(size);
    return size;
  }

  static std::size_t OnReply(char*, std::size_t size, std::size_t count, void* self) {
    auto* const connection = static_cast<Connection*>(self);
    connection->received_of_delivery_ += static_cast<int64_t>(size * count);
    if (connection->received_of_delivery_ > kMostReplyBytes) {
      connection->Abort("answers without end");
    }
    return connection->aborted_ ? 0 : size * count;
  }

  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    auto* const connection = static_cast<Connection*>(self);
    if (connection->ended_ || !*connection->interrupted_) return 0;
    connection->Abort("interrupted");
    return 1;
  }

  static int OnTalk(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
    auto* const connection = static_cast<Connection*>(self);
    if (type == CURLINFO_HEADER_OUT) connection->NoteCommand({data, size});
    if (type == CURLINFO_HEADER_IN) connection->NoteReply({data, size});
    return 0;
  }

  void NoteCommand(absl::string_view command) {
    // Lines of a login are base64, which has neither blank nor colon.
    if (absl::StartsWith(command, "EHLO ") || absl::StartsWith(command, "HELO ")) {
      step_ = Step::kConnect;
      helo_ = absl::StartsWith(command, "HELO ");
    } else if (absl::StartsWith(command, "AUTH ")) {
      step_ = Step::kAuth;
    } else if (absl::StartsWith(command, "MAIL FROM:")) {
      step_ = Step::kSender;
      // libcurl asks for it if an address needs it and the server offers it.
      lacks_utf8_ = needs_utf8_ && !absl::StrContains(command, " SMTPUTF8");
    } else if (absl::StartsWith(command, "RCPT TO:")) {
      step_ = Step::kRecipient;
    } else if (step_ == Step::kRecipient && absl::StartsWith(command, "DATA")) {
      step_ = Step::kData;
    } else if (absl::StartsWith(command, "STARTTLS")) {
      encrypted_ = true;
    } else if (absl::StartsWith(command, "QUIT")) {
      // The answer to QUIT is not awaited.
      quitting_ = true;
      if (Socket() != CURL_SOCKET_BAD) shutdown(Socket(), SHUT_RD);
    }
    if (!quitting_) reply_.clear();
  }

  void NoteReply(absl::string_view line) {
    received_ += line.size();
    if (quitting_) return;
    reply_ = std::string(absl::StripTrailingAsciiWhitespace(line));
    if (step_ == Step::kAuth && FinalCode(reply_) == 235) authenticated_ = true;
    // The address itself is not sent.
    if (step_ == Step::kSender && lacks_utf8_ && FinalCode(reply_) == kTaken) Abort(kNoUtf8);
  }

  const SmtpOptions& options_;
  const std::atomic<bool>* const interrupted_;
  CURL* const curl_;
  char error_[CURL_ERROR_SIZE] = "";

  // State of the open connection.
  std::vector<curl_socket_t> sockets_;
  bool encrypted_ = false;
  bool authenticated_ = false;
  bool helo_ = false;      // The server did not take EHLO.
  uint64_t received_ = 0;  // Bytes of replies that were read here.

  // State of the delivery in progress.
  Step step_ = Step::kConnect;
  std::string reply_;  // The last line of the answer to it.
  absl::string_view rest_;
  bool ended_ = false;  // All of the message and its end were handed to libcurl.
  bool reused_ = false;
  bool aborted_ = false;
  bool quitting_ = false;
  bool needs_utf8_ = false;  // The local part of the recipient's address is not in ASCII.
  bool lacks_utf8_ = false;  // And the server does not offer SMTPUTF8.
  std::string why_aborted_;
  int64_t received_of_delivery_ = 0;
};

std::string FullHostName() {
  char name[HOST_NAME_MAX + 1] = "";
  if (gethostname(name, sizeof(name) - 1) != 0) return "";
  if (absl::StrContains(name, '.')) return name;
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  addrinfo* found = nullptr;
  if (getaddrinfo(name, nullptr, &hints, &found) != 0) return "";
  const std::string full = found->ai_canonname == nullptr ? "" : found->ai_canonname;
  freeaddrinfo(found);
  return absl::StrContains(full, '.') ? full : "";
}

SmtpTransport::SmtpTransport(SmtpOptions options)
    : options_([&] {
        // Called here because it is not thread safe.
        static const CURLcode once = curl_global_init(CURL_GLOBAL_DEFAULT);
        static_cast<void>(once);
        return std::move(options);
      }()) {}

SmtpTransport::~SmtpTransport() = default;

std::unique_ptr<SmtpTransport::Connection> SmtpTransport::TakeConnection() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Connection>(options_, &interrupted_);
  std::unique_ptr<Connection> connection = std::move(idle_.back());
  idle_.pop_back();
  return connection;
}

DeliveryResult SmtpTransport::Deliver(const std::string& envelope_from, const std::string& to,
                                      const std::string& message) {
  using Kind = DeliveryResult::Kind;
  if (interrupted_) return {Kind::kInterrupted, "interrupted"};
  // libcurl writes an address into its command without checks, including line breaks.
  if (!IsOneAddress(envelope_from)) return {Kind::kTryLater, "the sender is not one address"};
  const std::string recipient = WithAsciiDomain(to);
  if (!IsOneAddress(recipient)) return {Kind::kRejected, "the recipient is not one address"};
  std::unique_ptr<Connection> connection = TakeConnection();
  DeliveryResult result = connection->Deliver(envelope_from, recipient, message);
  if (connection->InStep()) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }
  return result;
}

}  // namespace contacts
