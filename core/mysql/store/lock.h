#ifndef CONTACTS_CORE_MYSQL_STORE_LOCK_H_
#define CONTACTS_CORE_MYSQL_STORE_LOCK_H_

// core/mysql/store has every statement of the service, one pair of files for each table. Functions
// that load make one round trip. Functions that write queue their statements on the session (see
// Session::Queue); a Purge function also loads. All throw sql::SQLException, which only Database
// catches. Times are kept to the microsecond. An id that does not exist gives no row and no error.
namespace contacts::store {

// kForUpdate keeps the loaded rows from other transactions until this one ends, kShare keeps them
// from being changed: an account that a transaction gives a role, or names in a change, is not
// deleted meanwhile. To keep deadlocks rare, transactions lock accounts, then changes, then
// services, then pending roles; only an ask locks its new contacts after its services.
enum class Lock { kNone, kShare, kForUpdate };

inline const char* Suffix(Lock lock) {
  switch (lock) {
    case Lock::kShare: return " LOCK IN SHARE MODE";
    case Lock::kForUpdate: return " FOR UPDATE";
    case Lock::kNone: break;
  }
  return "";
}

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_LOCK_H_
