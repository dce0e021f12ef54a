#include <gmime/gmime.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/letter/mime.h"

namespace contacts {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

RenderedMail Mail() {
  return {.from_name = "",
          .from = "contacts@example.net",
          .to = "jane@example.org",
          .subject = "Changement de contact\u00a0: c’est fait",
          .text = "Bonjour,\n\nC’est fait = oui\u00a0!\n-- \n.\nFrom here\n",
          .html = "<p>C’est <b>fait</b></p>\n",
          .language = "fr",
          .message_id = "0197c3a0-0000-7000-8000-000000000001@example.net",
          .date = absl::FromUnixSeconds(1780322700)};
}

std::string Encoded(const RenderedMail& mail, LineEnd line_end = LineEnd::kLf) {
  const absl::StatusOr<std::string> bytes = EncodeMime(mail, line_end);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *bytes : "";
}

absl::Status Failure(const RenderedMail& mail) {
  const absl::StatusOr<std::string> bytes = EncodeMime(mail);
  return bytes.status();
}

// Bytes read again by a MIME parser.
class Parsed {
 public:
  explicit Parsed(const std::string& bytes) {
    GMimeStream* stream = g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size());
    GMimeParser* parser = g_mime_parser_new_with_stream(stream);
    message_.reset(g_mime_parser_construct_message(parser, nullptr));
    g_object_unref(parser);
    g_object_unref(stream);
  }

  GMimeMessage* message() const { return message_.get(); }
  std::string Part(int index) const {
    GMimeMultipart* body = GMIME_MULTIPART(g_mime_message_get_mime_part(message()));
    char* text = g_mime_text_part_get_text(GMIME_TEXT_PART(g_mime_multipart_get_part(body, index)));
    std::string copy(text);
    g_free(text);
    return copy;
  }
  int header_count() const {
    return g_mime_header_list_get_count(g_mime_object_get_header_list(GMIME_OBJECT(message())));
  }

 private:
  struct Unref {
    void operator()(GMimeMessage* message) const { g_object_unref(message); }
  };
  std::unique_ptr<GMimeMessage, Unref> message_;
};

TEST(EncodeMime, KeepsAQuotedLocalPart) {
  RenderedMail mail = Mail();
  for (const char* address : {"\"a..b\"@docomo.ne.jp", "\"jane doe\"@c.fr", "\"a,b\"@c.fr"}) {
    mail.to = address;
    const std::string bytes = Encoded(mail);
    const Parsed parsed(bytes);
    EXPECT_THAT(bytes, HasSubstr(std::string("To: ") + address + "\n"));
    EXPECT_EQ(internet_address_list_length(g_mime_message_get_to(parsed.message())), 1);
  }
  for (const char* address :
       {"\"a\"@b@c.fr", "\"a\nBcc: eve@c.fr\"@c.fr", "\"a>\"@c.fr", "\"@c.fr"}) {
    mail.to = address;
    EXPECT_FALSE(Failure(mail).ok()) << address;
  }
}

TEST(EncodeMime, HasAnInternationalAddressInUtf8WithItsDomainInALabels) {
  RenderedMail mail = Mail();
  for (const auto& [address, header] :
       {std::pair("jos\u00e9@ex\u00e4mple.fr", "jos\u00e9@xn--exmple-cua.fr"),
        {"jane@ex\u00e4mple.fr", "jane@xn--exmple-cua.fr"},
        {"jane@Example.com", "jane@Example.com"}}) {
    mail.to = address;
    EXPECT_THAT(Encoded(mail), HasSubstr(absl::StrCat("\nTo: ", header, "\n")));
  }
  for (const char* address : {"jos\xe9@b.fr", "jos\u00e9@b.fr, eve@c.fr", "jos\u00e9\n@b.fr",
                              "jos\u00e9@-\u00e4.fr", "jos\u00e9"}) {
    mail.to = address;
    EXPECT_FALSE(Failure(mail).ok()) << address;
  }
  mail = Mail();
  mail.from = "jos\u00e9@b.fr";
  EXPECT_FALSE(Failure(mail).ok());
}

TEST(EncodeMime, EncodesANonAsciiSubjectThatDecodesBack) {
  const std::string bytes = Encoded(Mail());
  EXPECT_THAT(bytes, AllOf(HasSubstr("Subject: "), HasSubstr("=?"), Not(HasSubstr("c’est"))));
  EXPECT_EQ(g_mime_message_get_subject(Parsed(bytes).message()), Mail().subject);
}

TEST(EncodeMime, WritesTextAndHtmlAsAlternativesThatDecodeBack) {
  const Parsed parsed(Encoded(Mail()));
  EXPECT_EQ(parsed.Part(0), Mail().text);
  EXPECT_EQ(parsed.Part(1), Mail().html);
  const std::string bytes = Encoded(Mail());
  EXPECT_THAT(bytes, AllOf(HasSubstr("multipart/alternative"), HasSubstr("text/plain"),
                           HasSubstr("text/html"), HasSubstr("charset=utf-8")));
}

TEST(EncodeMime, IsAsciiOfShortLines) {
  RenderedMail mail = Mail();
  mail.text = std::string(5000, 'x');
  std::size_t length = 0;
  for (const char c : Encoded(mail)) {
    EXPECT_LT(static_cast<unsigned char>(c), 0x80U);
    length = c == '\n' ? 0 : length + 1;
    EXPECT_LE(length, 78U);
  }
}

TEST(EncodeMime, MarksTheEmailAsAutomaticWithItsIdDateAndLanguage) {
  EXPECT_THAT(Encoded(Mail()),
              AllOf(HasSubstr("Auto-Submitted: auto-generated\n"),
                    HasSubstr("Message-Id: <0197c3a0-0000-7000-8000-000000000001@example.net>\n"),
                    HasSubstr("Date: Mon, 01 Jun 2026 14:05:00 +0000\n"),
                    HasSubstr("Content-Language: fr\n"), HasSubstr("To: jane@example.org\n"),
                    HasSubstr("From: contacts@example.net\n"), HasSubstr("MIME-Version: 1.0\n")));
}

TEST(EncodeMime, GivesTheSameBytesForTheSameEmail) { EXPECT_EQ(Encoded(Mail()), Encoded(Mail())); }

TEST(EncodeMime, EndsEveryLineAsAsked) {
  const std::string lf = Encoded(Mail(), LineEnd::kLf);
  const std::string crlf = Encoded(Mail(), LineEnd::kCrLf);
  EXPECT_THAT(lf, Not(HasSubstr("\r")));
  EXPECT_EQ(crlf, absl::StrReplaceAll(lf, {{"\n", "\r\n"}}));
}

TEST(EncodeMime, EncodesTheSendersName) {
  RenderedMail mail = Mail();
  mail.from_name = "L’équipe \"contacts\" <x@y>, Inc.";
  const Parsed parsed(Encoded(mail));
  InternetAddressList* from = g_mime_message_get_from(parsed.message());
  ASSERT_EQ(internet_address_list_length(from), 1);
  EXPECT_EQ(internet_address_get_name(internet_address_list_get_address(from, 0)), mail.from_name);
}

TEST(EncodeMime, NamesWhereAnswersGo) {
  RenderedMail mail = Mail();
  EXPECT_THAT(EncodeMime(mail).value(), Not(HasSubstr("Reply-To")));
  mail.reply_to = "help@example.net";
  EXPECT_THAT(EncodeMime(mail).value(), HasSubstr("\nReply-To: help@example.net\n"));
}

TEST(EncodeMime, RefusesControlCharactersInEveryHeader) {
  std::string RenderedMail::*const headers[] = {&RenderedMail::from_name, &RenderedMail::from,
                                                &RenderedMail::reply_to,  &RenderedMail::to,
                                                &RenderedMail::subject,   &RenderedMail::language,
                                                &RenderedMail::message_id};
  for (std::string RenderedMail::*header : headers) {
    for (const std::string& bad : {std::string("\r\nBcc: eve@example.org"), std::string("\n"),
                                   std::string("\0", 1), std::string("\x7f")}) {
      RenderedMail mail = Mail();
      mail.*header += bad;
      const absl::Status status = Failure(mail);
      EXPECT_TRUE(absl::IsInvalidArgument(status));
      EXPECT_THAT(std::string(status.message()), Not(HasSubstr("eve")));
    }
  }
}

TEST(EncodeMime, RefusesWhatIsNotOneAddress) {
  for (const char* bad :
       {"", "jane", "@example.org", "jane@", "a@b@c", "a@b.c,d@e.f", "Jane <jane@example.org>",
        "jane@example.org eve", "jan\xe9@example.org", "a@b.c;d"}) {
    RenderedMail mail = Mail();
    mail.to = bad;
    EXPECT_TRUE(absl::IsInvalidArgument(Failure(mail))) << bad;
  }
}

TEST(EncodeMime, RefusesASubjectThatIsNotUtf8) {
  RenderedMail mail = Mail();
  mail.subject = "\xff\xfe";
  EXPECT_TRUE(absl::IsInvalidArgument(Failure(mail)));
}

}  // namespace
}  // namespace contacts
