#ifndef CONTACTS_CORE_LETTER_BRAND_H_
#define CONTACTS_CORE_LETTER_BRAND_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/letter/mime.h"

namespace contacts {

// How a provider presents itself in its e-mails.
struct Brand {
  std::string name;       // May be empty.
  std::string support;    // E-mail address; may be empty.
  std::string logo_file;  // As the brand file names it, in this line.
  std::size_t logo_line = 0;
  int logo_width = 160;  // In CSS pixels.
  std::shared_ptr<const Logo> logo;
  std::map<std::string, std::string> colors;  // By name: "#rrggbb". Every name is set.
  std::vector<std::string> footer;            // Lines below each e-mail.
};

// Reads a brand file, which is YAML, without its logo's bytes. Returns INVALID_ARGUMENT, with line
// and reason, if it is wrong. An empty text is the brand of a provider without one.
absl::StatusOr<Brand> ParseBrand(const std::string& yaml);

// The logo of these bytes. Returns INVALID_ARGUMENT if they are no PNG, JPEG or GIF.
absl::StatusOr<Logo> ParseLogo(const std::string& bytes);

}  // namespace contacts

#endif  // CONTACTS_CORE_LETTER_BRAND_H_
