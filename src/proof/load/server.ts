/** Runs traffic for whoever asks by HTTP: in a pod, whose names, Secrets and network policies are those of a client. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { openFromSecret } from "../../connect/service-client.ts";
import { startTraffic, type Traffic, type TrafficPlan } from "./traffic.ts";

/** Answers until its process ends. @param secrets folder with the Secret of each service in a folder of its name */
export async function serveTraffic(secrets: string, host: string, port: number): Promise<AsyncDisposable> {
  let traffic: Traffic | undefined;
  const end = async () => {
    await traffic?.end();
    traffic = undefined;
    return "ended";
  };
  const carryOut = async (what: string, request: IncomingMessage): Promise<unknown> => {
    if (what === "/") return "waiting for orders";
    if (what === "/start") {
      // Who failed has left its traffic behind: the next is not to bear it.
      await end();
      const plan = (await json(request)) as TrafficPlan;
      traffic = await startTraffic(plan, (service) => openFromSecret(join(secrets, service)));
      return "started";
    }
    if (what === "/end") return end();
    if (!traffic) throw new Error("there is no traffic");
    if (what === "/progress") return traffic.progress();
    if (what === "/lap") return traffic.lap();
    if (what !== "/stop") throw new Error(`${what} is not known here`);
    const stopping = traffic;
    traffic = undefined;
    return stopping.stop();
  };
  const server = createServer(async (request, response) => {
    const { status, reply } = await carryOut(request.url ?? "/", request).then(
      (value) => ({ status: 200, reply: value }),
      (error: unknown) => ({ status: 500, reply: String(error) }),
    );
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(reply));
  }).listen(port, host);
  await once(server, "listening");
  return {
    async [Symbol.asyncDispose]() {
      await end();
      server.closeAllConnections();
      await once(server.close(), "close");
    },
  };
}
