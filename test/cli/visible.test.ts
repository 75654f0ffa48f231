/** Nothing that a client or server says can draw on the terminal or add a line. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import pc from "picocolors";
import { expect, test } from "vitest";
import { renderAudit } from "../../src/cli/output/audit.ts";
import { columns } from "../../src/cli/output/columns.ts";
import { renderFailure } from "../../src/cli/output/failure.ts";
import { paragraph } from "../../src/cli/output/paragraph.ts";
import { renderOutcome, renderPlan } from "../../src/cli/output/plan.ts";
import { renderHealth } from "../../src/cli/output/status.ts";
import { visible } from "../../src/cli/output/visible.ts";
import { circl } from "./circl.ts";

const look = { colours: pc.createColors(false), width: 100 };
/** A new line, a colour, the title of the window (OSC), a C1 control, right to left, and a line separator. */
const EVIL = "a\n0 changes, 0 refused.\r\x1b[31m\x1b]0;title\x07\x9b2J\u202e\u2028";
const SHOWN = String.raw`a\n0 changes, 0 refused.\r\u001b[31m\u001b]0;title\u0007\u009b2J\u202e\u2028`;
/** Everything but the ends of our own lines. */
const unsafe = (text: string) => text.match(/[^\P{C}\n]|\p{Zl}|\p{Zp}/gu) ?? [];

test.each([
  [EVIL, SHOWN],
  ["Łódź 漢字 🚚", "Łódź 漢字 🚚"],
  // A language tag is beyond 16 bits.
  ["\u{e0041}", String.raw`\udb40\udc41`],
])("%j is shown as %s", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("a cell stays in its row, and the columns stay aligned", () => {
  expect(
    columns(
      [
        ["x\ny", "b"],
        ["x", "b"],
      ],
      "",
    ),
  ).toEqual([String.raw`x\ny  b`, "x     b"]);
  expect(unsafe(paragraph("", `says ${EVIL} twice`, 40))).toEqual([]);
});

test("a client's name forges no line of the audit", () => {
  const who = { user: EVIL, account: "CIRCL", host: EVIL, client: EVIL };
  const at = "2026-11-22T04:46:01Z";
  const fields = [{ field: "description", from: EVIL, to: EVIL }];
  const said = renderAudit(
    {
      environment: "local",
      server: { name: EVIL, url: EVIL, version: "2.14.9" } as never,
      since: 0,
      record: {},
      changes: [
        { action: "update", kind: "stream", name: EVIL, at, who, fields },
        { action: "create", kind: "stream", name: "x", at, who, refused: EVIL },
      ],
      failedLogins: [{ who, attempts: 1, first: at, last: at, servers: [], reason: EVIL }],
    },
    look,
  );
  expect(unsafe(said)).toEqual([]);
  expect(said).toContain(`${SHOWN} (${SHOWN})`);
  // Two heads, three rows, and what stands between them.
  expect(said.split("\n")).toHaveLength(10);
  expect(said.split("\n").filter((line) => /^\d+ changes?, /.test(line))).toEqual([
    "1 change, 1 refused. 1 failed login.",
  ]);
});

test("a server's name forges no line of an error", async () => {
  // It speaks as much of the protocol as a connection takes; only then is its name compared with the environment's.
  const info = { server_name: EVIL, version: "2.14.9", max_payload: 1_048_576, proto: 1, headers: true };
  const server = createServer((socket) => {
    socket.write(`INFO ${JSON.stringify({ server_id: "x", ...info })}\r\n`);
    socket.on("data", (chunk) => String(chunk).includes("PING") && socket.write("PONG\r\n"));
    socket.on("error", () => socket.destroy());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const { code, stderr } = await circl(["plan", "local", "--server", `127.0.0.1:${port}`]);
  server.close();
  expect(code).toBe(1);
  expect(stderr).toContain(`is the standalone server ${SHOWN}, but local is`);
  expect(stderr.match(/\n/g)).toHaveLength(1);
  expect(unsafe(stderr)).toEqual([]);
});

test("an error that nobody expected draws nothing either", () => {
  expect(unsafe(renderFailure(new Error(EVIL)))).toEqual([]);
});

test("what a server holds forges no line of plan, apply and status", () => {
  const server = { name: EVIL, url: EVIL, version: EVIL, account: EVIL, peers: 1, declared: 1 };
  const summary = { create: 0, update: 1, recreate: 0, delete: 0, blocked: 0, unknown: 0, unmanaged: 1, unchanged: 0 };
  const asset = { kind: "stream", name: EVIL, stream: EVIL } as const;
  const none = { effects: [], verdicts: [] };
  const fields = ["a", "b", "c"].map((field) => ({ field, from: EVIL, to: EVIL }));
  const plan = renderPlan(
    {
      environment: "local",
      server,
      summary,
      notes: [EVIL],
      changes: [
        { change: { ...asset, action: "unmanaged", owned: false }, ...none },
        { change: { ...asset, action: "unknown", why: EVIL }, ...none },
        { change: { ...asset, action: "recreate", config: {}, fields, place: "floor" }, ...none },
      ],
    } as unknown as Parameters<typeof renderPlan>[0],
    look,
  );
  expect(unsafe(plan)).toEqual([]);
  expect(plan.split("\n")).toHaveLength(11);
  const outcome = renderOutcome({ done: [], failed: [{ name: "x", error: new Error(EVIL) }], notStarted: [] } as never);
  expect(outcome.split("\n")).toHaveLength(2);
  const health = renderHealth(
    {
      environment: "local",
      server,
      streams: [{ name: "x", condition: "missing", problems: [EVIL] }],
      consumers: [],
      undeclared: { streams: 0, consumers: 0 },
      problems: 1,
    } as never,
    look,
  );
  expect(unsafe(health)).toEqual([]);
});
