// The e-mails of a local Maildir, for development.
#include <gmime/gmime.h>

#include <algorithm>
#include <filesystem>

#include "absl/strings/match.h"
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

std::string Header(const Message& message, const char* name) {
  const char* value = g_mime_object_get_header(GMIME_OBJECT(message.get()), name);
  return value == nullptr ? "" : value;
}

void AppendHtml(GMimeObject*, GMimeObject* part, gpointer html) {
  GMimeContentType* type = g_mime_object_get_content_type(part);
  if (!GMIME_IS_TEXT_PART(part) || !g_mime_content_type_is_type(type, "text", "html")) return;
  char* text = g_mime_text_part_get_text(GMIME_TEXT_PART(part));
  *static_cast<std::string*>(html) += text;
  g_free(text);
}

Response Letters(Visit& visit) {
  namespace fs = std::filesystem;
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(visit.site.options.mail_folder + "/new", error)) {
    files.emplace_back(entry.last_write_time(error), entry.path());
  }
  std::sort(files.rbegin(), files.rend());
  files.resize(std::min(files.size(), kMostLetters));
  Page page(visit, "mail", visit.say("Local e-mails"));
  ctemplate::TemplateDictionary& list = Add(page.body, files.empty() ? "EMPTY" : "LIST");
  for (const auto& [time, path] : files) {
    const Message message = Read(path);
    if (!message) continue;
    const absl::Time written = absl::FromChrono(std::chrono::file_clock::to_sys(time));
    Add(list, "LETTER",
        {{"NAME", path.filename().string()},
         {"SUBJECT", Header(message, "Subject")},
         {"TO", Header(message, "To")},
         {"ON", DateAndTime(written, visit.say)}});
  }
  return visit.Show(page);
}

Response Letter(Visit& visit) {
  const std::string name = Get(visit.request.query, "name");
  Message message;
  if (!absl::StrContains(name, '/')) {
    message = Read(visit.site.options.mail_folder + "/new/" + name);
  }
  if (!message) return visit.Failed(404, visit.say("There is no such page."));
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

}  // namespace

void AddMailPages(std::vector<Route>& routes) {
  routes.push_back({"GET", "/mail", Letters, false});
  routes.push_back({"GET", "/mail/letter", Letter, false});
}

}  // namespace contacts::web
