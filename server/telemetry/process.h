#ifndef CONTACTS_SERVER_TELEMETRY_PROCESS_H_
#define CONTACTS_SERVER_TELEMETRY_PROCESS_H_

#include "server/telemetry/metrics.h"

namespace contacts::server {

// Adds the usual metrics of the process, under their usual names.
void AddProcessMetrics(Metrics& metrics);

}  // namespace contacts::server

#endif  // CONTACTS_SERVER_TELEMETRY_PROCESS_H_
