// The e-mails of a local Maildir, for development.
#include <gmime/gmime.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/web/site.h"

namespace contacts::web {
namespace {

constexpr std::size_t kMostLetters = 30;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using Message = std::unique_ptr<GMimeMessage, Unref>;

Message Read(const std::string& path) {
  const std::unique_ptr<GMimeStream, Unref> stream(
      g_mime_stream_file_open(path.c_str(), "r", nullptr));
  if (!stream) return nullptr;
  const std::unique_ptr<GMimeParser, Unref> parser(g_mime_parser_new_with_stream(stream.get()));
  return Message(g_mime_parser_construct_message(parser.get(), nullptr));
}

// Copies a text that GLib allocated, and frees it.
std::string Copied(char* text) {
  std::string copy = text == nullptr ? "" : text;
  g_free(text);
  return copy;
}

void AppendHtml(GMimeObject*, GMimeObject* part, gpointer html) {
  GMimeContentType* type = g_mime_object_get_content_type(part);
  if (GMIME_IS_TEXT_PART(part) && g_mime_content_type_is_type(type, "text", "html") != 0) {
    *static_cast<std::string*>(html) += Copied(g_mime_text_part_get_text(GMIME_TEXT_PART(part)));
  }
}

}  // namespace

Response Site::MailPage(Visit& visit) {
  if (options_.mail_folder.empty()) return Failed(visit, 404, visit.say("There is no such page."));
  namespace fs = std::filesystem;
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(options_.mail_folder + "/new", error)) {
    files.emplace_back(entry.last_write_time(error), entry.path());
  }
  std::sort(files.rbegin(), files.rend());
  files.resize(std::min(files.size(), kMostLetters));
  Page page(visit, "mail", visit.say("Local e-mails"));
  ctemplate::TemplateDictionary& list = Add(page.body, files.empty() ? "EMPTY" : "LIST");
  for (const auto& [time, path] : files) {
    const Message message = Read(path);
    if (!message) continue;
    const char* subject = g_mime_message_get_subject(message.get());
    GDateTime* date = g_mime_message_get_date(message.get());
    const gint64 seconds = date == nullptr ? 0 : g_date_time_to_unix(date);
    Add(list, "LETTER", "NAME", path.filename().string(), "SUBJECT",
        std::string(subject == nullptr ? "" : subject), "TO",
        Copied(
            internet_address_list_to_string(g_mime_message_get_to(message.get()), nullptr, FALSE)),
        "ON", DateAndTime(absl::FromUnixSeconds(seconds), visit.say));
  }
  return Show(visit, page);
}

Response Site::Letter(Visit& visit) {
  const std::string name = Get(visit.request.query, "name");
  Message message;
  if (!options_.mail_folder.empty() && !absl::StrContains(name, '/')) {
    message = Read(absl::StrCat(options_.mail_folder, "/new/", name));
  }
  if (!message) return Failed(visit, 404, visit.say("There is no such page."));
  std::string html;
  g_mime_message_foreach(message.get(), AppendHtml, &html);
  // As a mail program shows it: its own styles, no script, and none of this site's rights.
  return {200,
          {{"Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
            "form-action 'none'; frame-ancestors 'none'; sandbox"},
           {"Content-Type", "text/html; charset=utf-8"}},
          html};
}

}  // namespace contacts::web
