#include "core/mysql/store/change_search.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "core/mysql/store/involvement.h"

namespace contacts::store {

std::vector<ChangeSummary> SearchByAccount(Session& session, const AccountId& account,
                                           const Uuid& from, const Uuid& before, int64_t limit) {
  // One bounded read of an index for each part, then the newest of all.
  const auto walk = [](const char* table, const char* index, const char* column, const char* id) {
    return absl::StrCat("(SELECT ", id, " AS id FROM ", table, " FORCE INDEX (", index, ") WHERE ",
                        column, " = ? AND ", id, " >= ? AND ", id, " < ? GROUP BY ", id,
                        " ORDER BY ", id, " DESC LIMIT ?)");
  };
  std::vector<Param> params;
  for (int part = 0; part < 3; ++part) {
    params.insert(params.end(), {Bind(account), Bind(from), Bind(before), Bind(limit)});
  }
  params.push_back(Bind(limit));
  return ReadSummaries(session.Select(
      kSummaryColumns,
      absl::StrCat(" FROM (SELECT id FROM (",
                   walk("contact_change", "by_requester_id", "requester", "id"), " UNION ",
                   walk("contact_change", "by_new_contact", "new_contact", "id"), " UNION ",
                   walk("contact_change_item", "by_old_contact", "old_contact", "change_id"),
                   ") u ORDER BY id DESC LIMIT ?) v JOIN contact_change c ON c.id = v.id"
                   " ORDER BY c.id DESC"),
      params));
}

std::vector<ChangeSummary> SearchByService(Session& session, const ServiceId& service,
                                           const Uuid& from, const Uuid& before, int64_t limit) {
  return ReadSummaries(
      session.Select(kSummaryColumns,
                     " FROM (SELECT change_id FROM contact_change_item FORCE INDEX (by_service)"
                     " WHERE service_id = ? AND change_id >= ? AND change_id < ?"
                     " GROUP BY change_id ORDER BY change_id DESC LIMIT ?) v"
                     " JOIN contact_change c ON c.id = v.change_id ORDER BY c.id DESC",
                     {Bind(service), Bind(from), Bind(before), Bind(limit)}));
}

std::vector<ChangeSummary> SearchByTime(Session& session, const Uuid& from, const Uuid& before,
                                        int64_t limit) {
  return ReadSummaries(session.Select(
      kSummaryColumns,
      " FROM contact_change c WHERE c.id >= ? AND c.id < ? ORDER BY c.id DESC LIMIT ?",
      {Bind(from), Bind(before), Bind(limit)}));
}

}  // namespace contacts::store
