#ifndef CONTACTS_CLIENT_LIB_AWAITED_H_
#define CONTACTS_CLIENT_LIB_AWAITED_H_

#include <string>
#include <vector>

#include "contacts/v1/contacts.pb.h"

namespace contacts::client {

// The accounts whose answer is awaited. None if the change is closed.
std::vector<std::string> AwaitedAccounts(const v1::ContactChange& change);

}  // namespace contacts::client

#endif  // CONTACTS_CLIENT_LIB_AWAITED_H_
