#include "core/mail/mime.h"

#include <gmime/gmime.h>

#include <memory>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace contacts {
namespace {

template <typename T>
struct Unref {
  void operator()(T* object) const { g_object_unref(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Unref<T>>;

bool HasControl(absl::string_view text) {
  for (char c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return true;
  }
  return false;
}

Owned<GMimeTextPart> MakePart(const char* subtype, const std::string& text) {
  Owned<GMimeTextPart> part(g_mime_text_part_new_with_subtype(subtype));
  g_mime_text_part_set_charset(part.get(), "utf-8");
  g_mime_text_part_set_text(part.get(), text.c_str());
  g_mime_part_set_content_encoding(GMIME_PART(part.get()),
                                   GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
  return part;
}

void AddAddress(GMimeMessage* message, GMimeAddressType type, const std::string& name,
                const std::string& address) {
  g_mime_message_add_mailbox(message, type, name.empty() ? nullptr : name.c_str(),
                             address.c_str());
}

}  // namespace

absl::StatusOr<std::string> EncodeMime(const RenderedMail& mail) {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
  for (const std::string* header :
       {&mail.from_name, &mail.from, &mail.to, &mail.subject, &mail.message_id}) {
    if (HasControl(*header)) {
      return absl::InvalidArgumentError("a control character in a header of the e-mail");
    }
  }
  if (mail.to.find('@') == std::string::npos ||
      mail.to.find_first_of(" <>,;\"") != std::string::npos) {
    return absl::InvalidArgumentError("the recipient is not one e-mail address");
  }

  const Owned<GMimeMessage> message(g_mime_message_new(/*pretty_headers=*/TRUE));
  AddAddress(message.get(), GMIME_ADDRESS_TYPE_FROM, mail.from_name, mail.from);
  AddAddress(message.get(), GMIME_ADDRESS_TYPE_TO, "", mail.to);
  g_mime_message_set_subject(message.get(), mail.subject.c_str(), "utf-8");
  g_mime_message_set_message_id(message.get(), mail.message_id.c_str());
  GDateTime* date = g_date_time_new_from_unix_utc(absl::ToUnixSeconds(mail.date));
  g_mime_message_set_date(message.get(), date);
  g_date_time_unref(date);
  g_mime_object_set_header(GMIME_OBJECT(message.get()), "Auto-Submitted", "auto-generated",
                           "utf-8");

  const Owned<GMimeMultipart> body(g_mime_multipart_new_with_subtype("alternative"));
  const Owned<GMimeTextPart> text = MakePart("plain", mail.text);
  const Owned<GMimeTextPart> html = MakePart("html", mail.html);
  g_mime_multipart_add(body.get(), GMIME_OBJECT(text.get()));
  g_mime_multipart_add(body.get(), GMIME_OBJECT(html.get()));
  g_mime_message_set_mime_part(message.get(), GMIME_OBJECT(body.get()));

  char* bytes = g_mime_object_to_string(GMIME_OBJECT(message.get()), nullptr);
  std::string encoded(bytes);
  g_free(bytes);
  return encoded;
}

}  // namespace contacts
