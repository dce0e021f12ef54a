#ifndef CONTACTS_CORE_LETTER_DESIGN_H_
#define CONTACTS_CORE_LETTER_DESIGN_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

// ctemplate's headers use strlen without including it.
#include <cstring>

#include <ctemplate/template.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/letter/brand.h"
#include "core/letter/catalogue.h"

namespace contacts {

// The files that a provider puts in the place of shipped ones, as they were read. Comparable.
struct DesignFiles {
  std::map<std::string, std::string> replacements;  // By path: mail.html, mail.txt and LANGUAGE.mo.
  std::string brand_path;                           // Empty: no brand file.
  std::string brand;
  std::string logo_path;  // Empty: no logo.
  std::string logo;

  bool operator==(const DesignFiles&) const = default;
};

// Reads a file.
using FileReader = std::function<absl::StatusOr<std::string>(const std::string& path)>;

// Reads the files of `directory`, and the brand file with its logo, which may be beside it. Either
// path may be empty. Returns INVALID_ARGUMENT if a template or catalogue has a name that is none of
// those above, the error of `read`, or the brand file's.
absl::StatusOr<DesignFiles> ReadDesignFiles(const std::string& directory,
                                            const std::string& brand_path, const FileReader& read);

// Words and looks of the e-mails: a catalogue for each language, two templates and a brand.
// Immutable and thread safe.
class Design {
 public:
  // The one without files of a provider. Ends the process if it is wrong, which a test excludes.
  static std::shared_ptr<const Design> Shipped();
  // The shipped one, with `files` in the place of its own. Every sample is written in every
  // language. Returns INVALID_ARGUMENT, as "PATH:LINE: reason", if a file is wrong.
  static absl::StatusOr<std::shared_ptr<const Design>> Make(const DesignFiles& files);

  // The catalogue of a BCP 47 tag, else of the tag without its last parts, else the English one.
  const Catalogue& For(absl::string_view tag) const;
  // In lower case.
  std::vector<std::string> languages() const;
  const Brand& brand() const { return brand_; }

  std::string Html(const ctemplate::TemplateDictionary& content) const;
  std::string Text(const ctemplate::TemplateDictionary& content) const;

 private:
  Design() = default;
  absl::Status SetBrand(const DesignFiles& files);
  absl::Status SetTemplate(const std::string& name, const std::string& path,
                           const std::string& text);
  // The files, for errors.
  struct Paths {
    std::string html, text, catalogue;
  };
  // Adds a catalogue, if it has each message of the samples and the templates show the code, the
  // links, the services and the quotes of each in its language.
  absl::Status Add(Catalogue catalogue, const Paths& paths);

  std::map<std::string, Catalogue> catalogues_;  // By tag, in lower case.
  std::unique_ptr<ctemplate::Template> html_, text_;
  Brand brand_;
};

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_DESIGN_H_
