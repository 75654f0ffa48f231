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
  /** As `end` of traffic; nothing happens where it has been stopped. */
  readonly end: () => Promise<void>;
}

/** ms: to begin and to end a load takes as long as connections and readers take, an answer what a busy machine takes. */
const PATIENCE = { work: 1_200_000, answer: 60_000 };

/**
 * Connects everybody and begins.
 *
 * @throws Error with what it says there, or that it says nothing; that of the connection where its process ends
 */
export async function startRemotely(url: string, plan: TrafficPlan, patience = PATIENCE): Promise<RemoteTraffic> {
  // Not by fetch, which has a limit of its own.
  const ask = async <T>(what: string, limit: number, body?: object): Promise<T> => {
    const signal = AbortSignal.timeout(limit);
    try {
      const sent = request(`${url}/${what}`, { method: body ? "POST" : "GET", agent: false, signal });
      // An answer that is cut off tells its reader.
      sent.on("error", () => {}).end(body && JSON.stringify(body));
      const [response] = await once(sent, "response");
      const reply = await json(response);
      if (response.statusCode !== 200) throw new Error(`the clients of the load: ${reply}`);
      return reply as T;
    } catch (cause) {
      if (!signal.aborted) throw cause;
      throw new Error(`the clients of the load have not answered ${url}/${what} for ${limit / 1_000} s`, { cause });
    }
  };
  await ask("start", patience.work, plan);
  return {
    more: (count) => more({ progress: () => ask<ByRoute<Progress>>("progress", patience.answer) }, count),
    lap: () => ask("lap", patience.answer),
    stop: () => ask("stop", patience.work),
    end: () => ask("end", patience.work),
  };
}
