import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { stillUsed } from "../../../src/cli/connections.ts";
import { temporaryFolder } from "../../cli/circl.ts";
import { realModel } from "../../support/definitions.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const { environment } = realModel("staging");

/** Pods whose lists of connections are all `users`, in the pages that are asked for; and what the question says. */
async function asked(
  users: readonly string[],
  ending: readonly { name: string; user: string }[],
  kind = "connections",
) {
  using folder = temporaryFolder();
  const paths: string[] = [];
  const server = createServer(({ url = "" }, response) => {
    paths.push(url);
    const { searchParams } = new URL(url, "http://localhost");
    const [limit, offset] = [Number(searchParams.get("limit")), Number(searchParams.get("offset"))];
    const all = users.map((user, i) => ({ ip: "10.0.0.7", port: 40_000 + i, authorized_user: user }));
    response.end(JSON.stringify({ total: users.length, [kind]: all.slice(offset, offset + limit) }));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const kubectl = `#!/bin/sh\necho 'Forwarding from 127.0.0.1:${port} -> 8222'\nexec sleep 60\n`;
  writeFileSync(join(folder.path, "kubectl"), kubectl, { mode: 0o755 });
  vi.stubEnv("PATH", `${folder.path}:${process.env.PATH}`);
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    const used = await stillUsed(ending, "gke-staging", environment);
    return { used, paths, said: said.mock.calls.map(([text]) => String(text)).join("") };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const ending = [{ name: "oms", user: "oms-2" }];
const others = (count: number) => Array.from({ length: count }, () => "bff");

test("who is in with what ends is found on a later page as well, in each pod", async () => {
  const { used, paths, said } = await asked([...others(2_000), "oms-2"], ending);
  expect(used).toBe(true);
  const pages = [0, 1_024].map((offset) => `/connz?auth=true&limit=1024&offset=${offset}`);
  expect(paths.sort()).toEqual([...pages, ...pages, ...pages].sort());
  for (const pod of ["nats-0", "nats-1", "nats-2"]) {
    expect(said).toContain(`- oms: without a name from 10.0.0.7:42000 at ${pod}\n`);
  }
  expect(said).toContain("with --wait 0s they are cut off.");
});

test("others, and nobody who ends, keep nothing from being finished", async () => {
  expect(await asked([...others(1_024), "oms"], ending)).toMatchObject({ used: false, said: "" });
  expect(await asked(["oms-2"], [])).toMatchObject({ used: false, said: "", paths: [] });
});

test("of many the first twenty are said, and how many more there are", async () => {
  const { said } = await asked(
    Array.from({ length: 30 }, () => "oms-2"),
    ending,
  );
  expect(said.match(/^- oms: /gm)).toHaveLength(20);
  expect(said).toContain("\n- and 70 more\n");
});

test("an answer that is no list of connections is not taken for an empty one", async () => {
  await expect(asked(["oms-2"], ending, "varz")).rejects.toThrow(/nats-\d answers \/connz.* with something else/);
});
