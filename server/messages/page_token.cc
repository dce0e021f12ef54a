#include "server/messages/page_token.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <memory>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/sha256.h"
#include "server/messages/forms.h"

namespace contacts::server {
namespace {

using google::protobuf::Message;

constexpr char kPageToken[] = "page_token";
constexpr char kPageSize[] = "page_size";
constexpr std::size_t kSealSize = 16;
constexpr std::size_t kMaxCursor = 300;  // An id and its kind.

// Ties a cursor to its method and to the other fields of its request, except page_size.
std::string Seal(const Message& request, absl::string_view cursor) {
  return Sha256(absl::StrCat(request.GetDescriptor()->full_name(), "\n",
                             DigestWithout(request, {kPageToken, kPageSize}), cursor))
      .substr(0, kSealSize);
}

std::string ResumeSeal(absl::string_view cursor) {
  return Sha256(absl::StrCat("resume_token\n", cursor)).substr(0, kSealSize);
}

std::string Sealed(absl::string_view seal, absl::string_view cursor) {
  return absl::WebSafeBase64Escape(absl::StrCat(seal, cursor));
}

// The cursor inside, if its seal is the one that `seal` makes.
template <typename SealOf>
std::optional<std::string> Unsealed(const std::string& token, const SealOf& seal) {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(token, &bytes) || bytes.size() <= kSealSize) {
    return std::nullopt;
  }
  const std::string cursor = bytes.substr(kSealSize);
  if (bytes.substr(0, kSealSize) != seal(cursor)) return std::nullopt;
  return cursor;
}

}  // namespace

std::string DigestWithout(const Message& request, std::initializer_list<const char*> fields) {
  const std::unique_ptr<Message> rest(request.New());
  rest->CopyFrom(request);
  for (const char* field : fields) {
    const auto* left_out = request.GetDescriptor()->FindFieldByName(field);
    if (left_out != nullptr) rest->GetReflection()->ClearField(rest.get(), left_out);
  }
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    rest->SerializeToCodedStream(&out);
  }
  return Sha256(bytes);
}

std::string Fingerprint(absl::string_view method, const Message& request) {
  return absl::StrCat(method, ":", absl::BytesToHexString(DigestWithout(request, {"request_id"})));
}

std::string MakePageToken(const Message& request, absl::string_view cursor) {
  if (cursor.empty()) return "";
  return Sealed(Seal(request, cursor), cursor);
}

std::optional<std::string> OpenPageToken(const Message& request) {
  const auto* field = request.GetDescriptor()->FindFieldByName(kPageToken);
  const std::string token = request.GetReflection()->GetString(request, field);
  if (token.empty()) return "";
  auto cursor = Unsealed(token, [&](absl::string_view text) { return Seal(request, text); });
  // A forged seal may be around any text.
  if (cursor && !IsPrintableAscii(*cursor, kMaxCursor)) return std::nullopt;
  return cursor;
}

std::string MakeResumeToken(const FeedPlace& place) {
  const std::string cursor = absl::StrCat(place.position, " ", absl::Hex(place.event));
  return Sealed(ResumeSeal(cursor), cursor);
}

std::optional<FeedPlace> OpenResumeToken(const std::string& token) {
  const auto cursor = Unsealed(token, ResumeSeal);
  if (!cursor) return std::nullopt;
  const std::pair<std::string, std::string> parts =
      absl::StrSplit(*cursor, absl::MaxSplits(' ', 1));
  FeedPlace place;
  if (!absl::SimpleAtoi(parts.first, &place.position) || place.position < 0) return std::nullopt;
  if (!parts.second.empty() && !absl::SimpleHexAtoi(parts.second, &place.event)) {
    return std::nullopt;
  }
  return place;
}

}  // namespace contacts::server
