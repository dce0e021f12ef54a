#include "client/lib/awaited.h"

namespace contacts::client {

std::vector<std::string> AwaitedAccounts(const v1::ContactChange& change) {
  std::vector<std::string> accounts;
  if (change.state() != v1::CONTACT_CHANGE_STATE_VALIDATING) return accounts;
  for (const v1::Validation& validation : change.validations()) {
    if (validation.state() == v1::VALIDATION_STATE_PENDING) {
      accounts.push_back(validation.account());
    }
  }
  return accounts;
}

}  // namespace contacts::client
