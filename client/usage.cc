#include "client/usage.h"

#include <ostream>
#include <string>

#include "client/errors.h"
#include "client/table.h"
#include "client/text.h"
#include "nlohmann/json.hpp"

namespace contacts::client {

void PrintUsageError(absl::string_view message, bool json, bool colour, std::ostream& err) {
  if (!json) {
    err << Styled("contactctl:", Style::kBad, colour) << ' ' << Printable(message) << '\n';
    return;
  }
  const nlohmann::json document = {{"error",
                                    {{"code", "USAGE"},
                                     {"explanation", std::string(message)},
                                     {"exit_status", static_cast<int>(kUsage)}}}};
  err << document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

}  // namespace contacts::client
