#ifndef CONTACTS_CORE_MYSQL_STORE_LOCK_H_
#define CONTACTS_CORE_MYSQL_STORE_LOCK_H_

// core/mysql/store has every statement of the service, one pair of files for each table. Functions
// that load make one round trip. Functions that write queue their statements on the session (see
// Session::Queue); a Purge function also loads. All throw sql::SQLException, which only Database
// catches. Times are kept to the microsecond. An id that does not exist gives no row and no error.
namespace contacts::store {

// kForUpdate keeps the loaded rows from other transactions until this one ends. To keep deadlocks
// rare, transactions lock accounts, then changes, then services, then pending roles.
enum class Lock { kNone, kForUpdate };

inline const char* Suffix(Lock lock) { return lock == Lock::kForUpdate ? " FOR UPDATE" : ""; }

}  // namespace contacts::store

#endif  // CONTACTS_CORE_MYSQL_STORE_LOCK_H_
