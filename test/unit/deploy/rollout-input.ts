import type { RolloutInput } from "../../../src/deploy/rollout.ts";
import { waitEvery } from "../../../src/deploy/waiting.ts";
import type { FakeCluster } from "../../support/fake-cluster.ts";

/** What a rollout goes by, with servers that prove themselves at once. */
export const inputTo = (cluster: FakeCluster, more: Partial<RolloutInput> = {}): RolloutInput => ({
  cluster,
  patience: 60_000,
  waiting: waitEvery(1),
  insisting: waitEvery(1),
  say: () => {},
  proven: async () => [],
  ...more,
});
