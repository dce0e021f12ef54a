#include "core/mysql/store/earlier_address.h"

#include "core/domain/token.h"
#include "core/mysql/encoder.h"
#include "core/mysql/store/statements.h"

namespace contacts::store {

void InsertEarlierAddresses(Session& session, const std::vector<EarlierAddress>& addresses,
                            absl::Time now) {
  std::vector<std::string> rows;
  for (const EarlierAddress& earlier : addresses) {
    rows.push_back(sqltext::RowOf({sqltext::Id(earlier.account),
                                   sqltext::Binary(AddressDigest(earlier.account, earlier.address)),
                                   sqltext::Time(now),
                                   sqltext::Time(earlier.was_used ? now : absl::UnixEpoch())}));
  }
  if (rows.empty()) return;
  session.Queue(absl::StrCat(
      "INSERT INTO earlier_address (account_id, digest, replace_time, use_end_time) VALUES ",
      absl::StrJoin(rows, ","),
      " ON DUPLICATE KEY UPDATE replace_time = VALUES(replace_time),"
      " use_end_time = GREATEST(use_end_time, VALUES(use_end_time))"));
}

std::vector<std::string> LoadEarlierAddresses(Session& session, const AccountId& account) {
  Rows rows = session.Query(
      "SELECT digest FROM earlier_address WHERE account_id = ? ORDER BY replace_time DESC LIMIT ?",
      {Bind(account), Bind(kMostEarlierAddresses)});
  std::vector<std::string> digests;
  while (rows.Next()) digests.push_back(rows.String());
  return digests;
}

bool AddressReplacedSince(Session& session, const AccountId& account, absl::Time since) {
  return session
      .Query("SELECT 1 FROM earlier_address WHERE account_id = ? AND use_end_time >= ? LIMIT 1",
             {Bind(account), Bind(since)})
      .Next();
}

void PurgeEarlierAddresses(Session& session, absl::Time before, int64_t limit) {
  session.Queue(
      sqltext::Fill("DELETE FROM earlier_address WHERE replace_time < ?"
                    " ORDER BY replace_time LIMIT ?",
                    {sqltext::Time(before), sqltext::Int(limit)}));
}

}  // namespace contacts::store
