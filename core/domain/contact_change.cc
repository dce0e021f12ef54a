#include "core/domain/contact_change.h"

namespace contacts {

const char* Name(ChangeState state) {
  switch (state) {
    case ChangeState::kValidating: return "VALIDATING";
    case ChangeState::kDone: return "DONE";
    case ChangeState::kRefused: return "REFUSED";
    case ChangeState::kCancelled: return "CANCELLED";
    case ChangeState::kExpired: return "EXPIRED";
    case ChangeState::kAborted: return "ABORTED";
  }
  return "";
}

}  // namespace contacts
