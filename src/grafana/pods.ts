/** What panels ask about pods of any server. Metrics of cAdvisor and kube-state-metrics. */
import { chosen } from "./dashboard.ts";

/** Memory of a container by pod, as share of its limit. */
export const memoryShare = (container: string): string =>
  `max by (pod) (${chosen("container_memory_working_set_bytes", `container="${container}"`)}) / ` +
  `max by (pod) (${chosen("kube_pod_container_resource_limits", `container="${container}"`, 'resource="memory"')})`;
