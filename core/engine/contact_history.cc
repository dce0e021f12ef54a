#include "core/engine/contact_history.h"

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/domain/errors.h"
#include "core/mysql/store/contact_move.h"

namespace contacts {
namespace {

std::string CursorOf(const ContactMove& move) {
  return absl::StrCat(absl::ToUnixMicros(move.service_create_time), " ", move.version, " ",
                      static_cast<int>(move.role));
}

std::optional<store::MovePlace> PlaceOf(const std::string& cursor) {
  const std::vector<std::string> parts = absl::StrSplit(cursor, ' ');
  int64_t micros = 0;
  int64_t version = 0;
  int role = 0;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &micros) ||
      !absl::SimpleAtoi(parts[1], &version) || !absl::SimpleAtoi(parts[2], &role)) {
    return std::nullopt;
  }
  return store::MovePlace{absl::FromUnixMicros(micros), version, static_cast<Role>(role)};
}

}  // namespace

absl::StatusOr<Page<ContactMove>> ReadContactHistory(Session& session, const ServiceId& service,
                                                     const std::optional<absl::Time>& registration,
                                                     const PageRequest& request) {
  std::optional<store::MovePlace> place = store::MovePlace();
  if (!request.after.empty()) place = PlaceOf(request.after);
  if (!place) return errors::InvalidField({{"page_token", "want one that this method returned"}});
  Page<ContactMove> page;
  page.rows = store::ListMoves(session, service, registration, *place, request.size + 1);
  if (static_cast<int64_t>(page.rows.size()) > request.size) {
    page.rows.pop_back();
    page.next = CursorOf(page.rows.back());
  }
  return page;
}

}  // namespace contacts
