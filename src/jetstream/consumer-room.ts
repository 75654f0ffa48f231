/** How many consumers a stream may have: by its own limit or by the account's, whichever is lower. */
import type { Change } from "./diff.ts";
import { unlimited } from "./effect.ts";
import type { Observed } from "./observe.ts";
import { isGuarded, type Recreated } from "./recreate.ts";

type Written = Extract<Change, { action: "create" | "update" }>;
interface Around {
  readonly observed: Observed;
  readonly changes: readonly Change[];
}

/**
 * Why the server would refuse a consumer, or a limit of a stream, for the number of consumers (10026; consumer.go,
 * addConsumerWithAssignment; jetstream.go, checkLimits). Nothing is said of an account whose limits are tiered.
 */
export function noRoom(change: Written | Recreated, { observed, changes }: Around) {
  const { limits, tiers } = observed.account;
  const ofAccount = tiers ? Number.POSITIVE_INFINITY : unlimited(limits.max_consumers);
  const isRecreate = change.action === "recreate";
  if (!isRecreate && change.kind === "stream") return aboveAccount(change, ofAccount);
  if (isRecreate ? !isGuarded(change) : change.action !== "create") return [];
  const { stream } = change;
  const live = observed.streams.find(({ name }) => name === stream);
  if (live?.status === "unknown") return [];
  const wanted = changes.find(
    (other): other is Written => other.name === stream && (other.action === "create" || other.action === "update"),
  );
  const limit = Math.min(unlimited((wanted?.config ?? live?.info.config)?.max_consumers), ofAccount);
  const most = mostOf(stream, observed, changes);
  if (most <= limit) return [];
  const whose = limit === ofAccount ? " by max_consumers of the account" : "";
  const guarded = isRecreate ? " while a guard keeps the place" : "";
  const says = `${stream} may have ${limit} consumers${whose}, and needs room for ${most}${guarded}`;
  const raise = limit === ofAccount ? "Raise max_consumers of the account" : "Raise `maxConsumers` of the stream";
  const hint = `${raise}, or delete a consumer that nobody reads${isRecreate ? "; then recreate." : " first."}`;
  return [{ field: "max_consumers", errCode: 10026, says, hint }];
}

/** Consumers of a stream at the busiest moment of an apply: those that are created and the guards come side by side. */
function mostOf(stream: string, { consumers }: Observed, changes: readonly Change[]): number {
  const { known = [], unknown = [] } = consumers.get(stream) ?? {};
  const ours = changes.filter((change) => change.kind === "consumer" && change.stream === stream);
  const count = (action: Change["action"]) => ours.filter((change) => change.action === action).length;
  const guards = ours.filter((change) => change.action === "recreate" && isGuarded(change)).length;
  // What is deleted goes first where another consumer of the stream is written, and last where none is (order.ts).
  const gone = count("create") + count("update") > 0 ? count("delete") : 0;
  return known.length + unknown.length + count("create") + guards - gone;
}

function aboveAccount({ config }: Written, most: number) {
  const wanted = Number(config.max_consumers ?? -1);
  if (wanted <= most) return [];
  const says = `the account allows a stream ${most} consumers (max_consumers), not ${wanted}`;
  const hint = "Lower `maxConsumers`, or raise max_consumers of the account.";
  return [{ field: "max_consumers", errCode: 10026, says, hint }];
}
