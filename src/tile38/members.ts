/** The pods of Tile38 and how to tell them apart. */
import { podLabels } from "../kubernetes/labels.ts";

export const LEADER = { name: "tile38", component: "leader" } as const;
export const FOLLOWER = { name: "tile38", component: "follower" } as const;
export const SHRINK = { name: "tile38", component: "shrink" } as const;

/** On leader and followers and on no job: what read and metrics Services select, and what spreads over nodes. */
export const SERVER_LABELS: Readonly<Record<string, string>> = { "circl.dev/tile38": "server" };

export const serverLabels = (member: typeof LEADER | typeof FOLLOWER): Record<string, string> => ({
  ...podLabels(member),
  ...SERVER_LABELS,
});
