/** Which time series are those of this environment's Tile38. */
import type { TILE38 } from "../kubernetes/names.ts";
import type { Environment } from "../model/environment.ts";

/** Label matchers of every server; job is `app.kubernetes.io/name` of the metrics Service. */
export const ours = ({ kubernetes }: Environment): string => `job="tile38",namespace="${kubernetes.namespace}"`;

export const oursOf = (environment: Environment, set: typeof TILE38.leader | typeof TILE38.followers): string =>
  `${ours(environment)},pod=~"${set}-[0-9]+"`;
