/**
 * What it costs a server that a service publishes and fetches through the imports of its own account, against one in the account
 * that has the streams: processor time of the server for each message, which other work on the machine does not change much, and
 * memory that waits for further answers.
 *
 *     node bench/crossing.js [messages]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AckPolicy, connect, StorageType } from "nats";
import { requireTools } from "../tools/build.js";

const messages = Number(process.argv[2] ?? 50_000);
const { found, missing } = await requireTools(["nats-server"], { build: true });
const program = found["nats-server"];
if (!program) throw new Error(missing["nats-server"]);
const root = mkdtempSync(join(tmpdir(), "circl-bench-"));
const port = 20_000 + Math.floor(Math.random() * 5_000);

const imported = [
  "$JS.API.INFO",
  "$JS.API.CONSUMER.MSG.NEXT.work.all",
  "$JS.API.CONSUMER.INFO.work.all",
  "$JS.ACK.work.all.>",
  "work.>",
];
const exported = imported.map(
  (subject) => `{ service: "${subject}"${subject.includes("NEXT") ? ", response_type: stream" : ""} }`,
);
writeFileSync(
  join(root, "nats.conf"),
  `listen: "127.0.0.1:${port}"
jetstream { store_dir: "${root}", max_memory_store: 1GiB }
accounts {
  SYS { users: [ { user: "sys", password: "loopback-only" } ] }
  CIRCL {
    jetstream: enabled
    users: [ { user: "together", password: "loopback-only" } ]
    exports: [ ${exported.join(", ")} ]
  }
  service {
    users: [ { user: "apart", password: "loopback-only" } ]
    imports: [ ${imported.map((subject) => `{ service: { account: "CIRCL", subject: "${subject}" } }`).join(", ")} ]
  }
}
system_account: SYS
`,
);
const server = spawn(program, ["--config", join(root, "nats.conf")], { stdio: ["ignore", "ignore", "pipe"] });
for await (const line of server.stderr) if (String(line).includes("Server is ready")) break;
server.stderr.resume();

/** Milliseconds of the processor that the server has used: clock ticks are 10 ms on Linux. */
const used = () => {
  const fields = readFileSync(`/proc/${server.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
};
/** Resident MiB. */
const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1]) / 1024;

/** @param {string} user */
const as = (user) => connect({ servers: `127.0.0.1:${port}`, user, pass: "loopback-only" });
/** @param {number} count @param {(i: number) => Promise<unknown>} work */
const windowed = async (count, work) => {
  let next = 0;
  const loop = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: 256 }, loop));
};

try {
  const admin = await (await as("together")).jetstreamManager();
  await admin.streams.add({ name: "work", subjects: ["work.>"], storage: StorageType.Memory });
  await admin.consumers.add("work", { durable_name: "all", ack_policy: AckPolicy.Explicit, max_ack_pending: -1 });
  const fetching = await as("apart");
  const before = resident();
  const consumer = await fetching.jetstream().consumers.get("work", "all");
  const fetches = 20_000;
  await windowed(fetches, async () => {
    await fetching.request("$JS.API.CONSUMER.MSG.NEXT.work.all", JSON.stringify({ batch: 1, no_wait: true }), {
      timeout: 60_000,
    });
  });
  await consumer.info();
  console.log(
    `${fetches} fetches of their own: ${Math.round((((resident() - before) * 1024) / fetches) * 10) / 10} KiB each, for two minutes`,
  );
  await fetching.close();
  const payload = new Uint8Array(300);
  /** Microseconds of the server for each message. */
  const cost = { together: { publish: 0, fetch: 0 }, apart: { publish: 0, fetch: 0 } };
  // A first round warms up; the second counts.
  for (const round of [0, 1]) {
    for (const user of /** @type {const} */ (["together", "apart"])) {
      const connection = await as(user);
      const jetstream = connection.jetstream();
      let before = used();
      await windowed(messages, () => jetstream.publish("work.a", payload, { timeout: 60_000 }));
      if (round) cost[user].publish = ((used() - before) * 1_000) / messages;
      const consumer = await jetstream.consumers.get("work", "all");
      before = used();
      let handled = 0;
      for await (const message of await consumer.consume({ max_messages: 500 })) {
        message.ack();
        if (++handled === messages) break;
      }
      await connection.flush();
      if (round) cost[user].fetch = ((used() - before) * 1_000) / messages;
      await connection.close();
    }
  }
  for (const what of /** @type {const} */ (["publish", "fetch"])) {
    const [together, apart] = [cost.together[what], cost.apart[what]];
    console.log(
      `${what}: ${together.toFixed(1)} us of the server each in one account, ${apart.toFixed(1)} us through an import: ${(apart / together).toFixed(2)} times`,
    );
  }
} finally {
  const ended = once(server, "exit");
  server.kill();
  await ended;
  rmSync(root, { recursive: true, force: true });
}
