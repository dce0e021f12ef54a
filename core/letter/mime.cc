#include "core/letter/mime.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/domain/email_address.h"

namespace contacts {
namespace {

constexpr char kUtf8[] = "utf-8";

template <typename T>
struct Unref {
  void operator()(T* object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref<T>>;

bool IsHeaderText(absl::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); }) &&
         g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr) != FALSE;
}

// The recipient's address may have a local part beyond ASCII, for mail servers that offer SMTPUTF8.
absl::Status CheckHeaders(const RenderedMail& mail, const std::string& to) {
  for (const auto& [name, value] : {std::pair<const char*, const std::string&>("from", mail.from),
                                    {"reply to", mail.reply_to},
                                    {"to", to},
                                    {"message id", mail.message_id}}) {
    if (value.empty() && &value == &mail.reply_to) continue;
    if (!IsOneAddress(value) || (&value == &to ? !IsHeaderText(value) : !IsAscii(value))) {
      return absl::InvalidArgumentError(absl::StrCat("e-mail: \"", name, "\" is not one address"));
    }
  }
  for (const auto& [name, value] :
       {std::pair<const char*, const std::string&>("from name", mail.from_name),
        {"subject", mail.subject},
        {"language", mail.language}}) {
    if (!IsHeaderText(value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("e-mail: \"", name, "\" has a control character or is not UTF-8"));
    }
  }
  return absl::OkStatus();
}

void SetHeader(GMimeMessage* message, const char* name, const std::string& value) {
  g_mime_object_set_header(GMIME_OBJECT(message), name, value.c_str(), kUtf8);
}

// g_mime_message_add_mailbox would encode the name in the narrowest charset that fits it.
void AddMailbox(GMimeMessage* message, GMimeAddressType type, const std::string& name,
                const std::string& address) {
  const Owned<InternetAddress> mailbox(
      internet_address_mailbox_new(name.empty() ? nullptr : name.c_str(), address.c_str()));
  internet_address_set_charset(mailbox.get(), kUtf8);
  internet_address_list_add(g_mime_message_get_addresses(message, type), mailbox.get());
}

// g_mime_text_part_set_text would choose the narrowest charset that fits the text.
void AddPart(GMimeMultipart* body, const char* subtype, const std::string& text) {
  const Owned<GMimeTextPart> part(g_mime_text_part_new_with_subtype(subtype));
  g_mime_text_part_set_charset(part.get(), kUtf8);
  const Owned<GMimeStream> bytes(g_mime_stream_mem_new_with_buffer(text.data(), text.size()));
  const Owned<GMimeDataWrapper> content(
      g_mime_data_wrapper_new_with_stream(bytes.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(GMIME_PART(part.get()), content.get());
  g_mime_part_set_content_encoding(GMIME_PART(part.get()), GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  g_mime_multipart_add(body, GMIME_OBJECT(part.get()));
}

void AddLogo(GMimeMultipart* body, const Logo& logo) {
  const Owned<GMimePart> part(g_mime_part_new_with_type("image", logo.type.c_str()));
  const Owned<GMimeStream> bytes(
      g_mime_stream_mem_new_with_buffer(logo.bytes.data(), logo.bytes.size()));
  const Owned<GMimeDataWrapper> content(
      g_mime_data_wrapper_new_with_stream(bytes.get(), GMIME_CONTENT_ENCODING_DEFAULT));
  g_mime_part_set_content(part.get(), content.get());
  g_mime_part_set_content_encoding(part.get(), GMIME_CONTENT_ENCODING_BASE64);
  g_mime_part_set_content_id(part.get(), "logo@brand");
  g_mime_object_set_disposition(GMIME_OBJECT(part.get()), GMIME_DISPOSITION_INLINE);
  g_mime_multipart_add(body, GMIME_OBJECT(part.get()));
}

Owned<GMimeMultipart> NewMultipart(const char* subtype, const std::string& boundary) {
  Owned<GMimeMultipart> multipart(g_mime_multipart_new_with_subtype(subtype));
  // "=_" cannot occur in a quoted-printable body.
  g_mime_multipart_set_boundary(multipart.get(), absl::StrCat("=_", boundary).c_str());
  return multipart;
}

std::string ToBytes(GMimeMessage* message, LineEnd line_end) {
  const std::unique_ptr<GMimeFormatOptions, void (*)(GMimeFormatOptions*)> format(
      g_mime_format_options_new(), g_mime_format_options_free);
  g_mime_format_options_set_newline_format(format.get(), line_end == LineEnd::kCrLf
                                                             ? GMIME_NEWLINE_FORMAT_DOS
                                                             : GMIME_NEWLINE_FORMAT_UNIX);
  const std::unique_ptr<char, void (*)(void*)> bytes(
      g_mime_object_to_string(GMIME_OBJECT(message), format.get()), g_free);
  return bytes.get();
}

}  // namespace

bool IsOneAddress(absl::string_view text) {
  const std::size_t at = text.find('@');
  if (at == absl::string_view::npos || at == 0 || at + 1 == text.size()) return false;
  const auto all = [](absl::string_view part, bool spaces, absl::string_view others) {
    return std::all_of(part.begin(), part.end(),
                       [&](char c) {
                         const auto byte = static_cast<unsigned char>(c);
                         return absl::ascii_isgraph(byte) || !absl::ascii_isascii(byte) ||
                                (spaces && c == ' ');
                       }) &&
           part.find_first_of(others) == absl::string_view::npos;
  };
  constexpr absl::string_view kSpecial = "<>()[],;:\\\"@";
  const absl::string_view local = text.substr(0, at);
  const bool quoted = local.size() > 2 && local.front() == '"' && local.back() == '"';
  return all(text.substr(at + 1), false, kSpecial) &&
         (quoted ? all(local.substr(1, local.size() - 2), true, "<>\\\"")
                 : all(local, false, kSpecial));
}

absl::StatusOr<std::string> EncodeMime(const RenderedMail& mail, LineEnd line_end) {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
  const std::string to = WithAsciiDomain(mail.to);
  if (absl::Status status = CheckHeaders(mail, to); !status.ok()) return status;

  const Owned<GMimeMessage> message(g_mime_message_new(/*pretty_headers=*/FALSE));
  AddMailbox(message.get(), GMIME_ADDRESS_TYPE_FROM, mail.from_name, mail.from);
  if (!mail.reply_to.empty()) {
    AddMailbox(message.get(), GMIME_ADDRESS_TYPE_REPLY_TO, "", mail.reply_to);
  }
  AddMailbox(message.get(), GMIME_ADDRESS_TYPE_TO, "", to);
  g_mime_message_set_subject(message.get(), mail.subject.c_str(), kUtf8);
  g_mime_message_set_message_id(message.get(), mail.message_id.c_str());
  const std::unique_ptr<GDateTime, void (*)(GDateTime*)> date(
      g_date_time_new_from_unix_utc(absl::ToUnixSeconds(mail.date)), g_date_time_unref);
  g_mime_message_set_date(message.get(), date.get());
  SetHeader(message.get(), "Auto-Submitted", "auto-generated");
  if (!mail.language.empty()) SetHeader(message.get(), "Content-Language", mail.language);

  const std::string boundary = mail.message_id.substr(0, mail.message_id.find('@'));
  const Owned<GMimeMultipart> body = NewMultipart("alternative", boundary);
  AddPart(body.get(), "plain", mail.text);
  if (mail.logo == nullptr) {
    AddPart(body.get(), "html", mail.html);
  } else {
    const Owned<GMimeMultipart> related = NewMultipart("related", absl::StrCat(boundary, "_html"));
    g_mime_object_set_content_type_parameter(GMIME_OBJECT(related.get()), "type", "text/html");
    AddPart(related.get(), "html", mail.html);
    AddLogo(related.get(), *mail.logo);
    g_mime_multipart_add(body.get(), GMIME_OBJECT(related.get()));
  }
  g_mime_message_set_mime_part(message.get(), GMIME_OBJECT(body.get()));
  return ToBytes(message.get(), line_end);
}

}  // namespace contacts
