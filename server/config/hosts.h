#ifndef CONTACTS_SERVER_CONFIG_HOSTS_H_
#define CONTACTS_SERVER_CONFIG_HOSTS_H_

#include <string>

namespace contacts::server {

// Whether nobody on a network can be at `host`: an address of loopback, an IPv6 address with or
// without brackets, or "localhost".
bool IsLoopback(const std::string& host);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_CONFIG_HOSTS_H_
