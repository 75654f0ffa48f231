/** Orders, which every stage of an environment has, while something happens to its servers. */
import type { Model } from "../../model/resolve.ts";
import type { BootedEnvironment } from "../environment.ts";
import { startClients } from "./clients.ts";
import type { Route } from "./traffic.ts";

export const ORDERS = {
  subject: "circl.oms.order.proof",
  identity: "oms",
  senders: 2,
  size: 300,
  readers: [{ identity: "dms", stream: "circl_oms", durable: "dms-orders" }],
} satisfies Omit<Route, "rate">;

export interface Load {
  /** Resolves when so many more are confirmed and read. @throws Error where that takes minutes */
  more(count: number): Promise<void>;
  /** Ends it, waits until the consumer has what was confirmed, and says what came of it. */
  stop(): Promise<LoadOutcome>;
}

export interface LoadOutcome {
  readonly confirmed: number;
  /** Sent and never confirmed. */
  readonly unconfirmed: number;
  /** Confirmed and never received. */
  readonly lost: number;
  /** Stored twice. */
  readonly duplicated: number;
  /** Given to the consumer again, which at-least-once delivery allows. */
  readonly redelivered: number;
  /** The longest time between two confirmations, in ms. */
  readonly longestPause: number;
}

/** Starts `rate` messages a second, and resolves once the first are through. @param root the repository's folder */
export async function startLoad(
  booted: Pick<BootedEnvironment, "plane" | "nodes">,
  model: Model,
  root: string,
  rate: number,
): Promise<Load> {
  const clients = await startClients(booted, model, root, ["oms", "dms"]);
  const traffic = await clients.start({ routes: { orders: { ...ORDERS, rate } } });
  await traffic.more(1);
  return {
    more: traffic.more,
    async stop() {
      const longestPause = (await traffic.lap()).orders?.longest ?? 0;
      const { orders } = await traffic.stop();
      await clients[Symbol.asyncDispose]();
      const readings = orders?.readers["dms-orders"];
      return {
        confirmed: orders?.acknowledged ?? 0,
        unconfirmed: orders?.abandoned ?? 0,
        lost: readings?.lost.length ?? 0,
        duplicated: readings?.storedTwice.length ?? 0,
        redelivered: readings?.redelivered ?? 0,
        longestPause,
      };
    },
  };
}
