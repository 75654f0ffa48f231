/** Traffic that runs elsewhere, behind `serveTraffic`. */
import { once } from "node:events";
import { request } from "node:http";
import { json } from "node:stream/consumers";
import type { Lap, Outcome } from "./ledger.ts";
import { type ByRoute, more, type Progress, type TrafficPlan } from "./traffic.ts";

/** One load at a time: whoever starts another ends it. */
export interface RemoteTraffic {
  /** As `more` of traffic. */
  readonly more: (count: number) => Promise<void>;
  readonly lap: () => Promise<ByRoute<Lap>>;
  readonly stop: () => Promise<ByRoute<Outcome>>;
}

/** Connects everybody and begins. @throws Error with what it says there; that of the connection where its process ends */
export async function startRemotely(url: string, plan: TrafficPlan): Promise<RemoteTraffic> {
  // Without a limit, which fetch has: readers are waited for as long as they get on.
  const ask = async <T>(what: string, body?: object): Promise<T> => {
    const sent = request(`${url}/${what}`, { method: body ? "POST" : "GET", agent: false });
    sent.end(body && JSON.stringify(body));
    const [response] = await once(sent, "response");
    const reply = await json(response);
    if (response.statusCode !== 200) throw new Error(`the clients of the load: ${reply}`);
    return reply as T;
  };
  await ask("start", plan);
  return {
    more: (count) => more({ progress: () => ask<ByRoute<Progress>>("progress") }, count),
    lap: () => ask("lap"),
    stop: () => ask("stop"),
  };
}
