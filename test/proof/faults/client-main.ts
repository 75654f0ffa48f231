/** The other end of client-process.ts: a process of its own that runs loads, in the network of a client's pod. */
import { join } from "node:path";
import { connectWith } from "./client.ts";
import type { Call, Reply } from "./client-process.ts";
import { type Load, startLoad } from "./load.ts";

const [secrets = ""] = process.argv.slice(2);
let load: Load | undefined;

async function carryOut(call: Call): Promise<unknown> {
  if (call.what === "start") {
    // A test that failed has left its load behind: the next is not to bear it.
    await load?.end();
    load = await startLoad({ ...call.input, connect: (identity) => connectWith(join(secrets, identity)) });
    return undefined;
  }
  if (!load) throw new Error("there is no load");
  if (call.what === "more") return load.more(call.count);
  if (call.what === "lap") return load.lap();
  const stopping = load;
  load = undefined;
  return stopping.stop();
}

process.on("message", async ({ id, call }: { readonly id: number; readonly call: Call }) => {
  const reply: Reply = await carryOut(call).then(
    (value) => ({ id, value }),
    (error: unknown) => ({ id, error: String(error) }),
  );
  process.send?.(reply);
});
// It ends with whoever started it.
process.on("disconnect", () => process.exit());
