/** Definitions with faults are said before anybody is dialled. */
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { circl, repositoryCopy } from "./circl.ts";

const copy = repositoryCopy();
const file = join(copy.path, "streams/oms.ts");
const sound = readFileSync(file, "utf8");
let connections = 0;
const listener = createServer((socket) => {
  connections += 1;
  socket.destroy();
});
beforeAll(() => new Promise<void>((done) => listener.listen(0, "127.0.0.1", done)));
afterAll(() => {
  listener.close();
  copy[Symbol.dispose]();
});

/** How often somebody dialled while `command` ran on `definitions`, its exit code and what it said. */
async function dialled(command: readonly string[], definitions: string) {
  writeFileSync(file, definitions);
  connections = 0;
  const server = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const { code, stdout, stderr } = await circl([...command, "local", "--server", server, "--timeout", "1000"], {
    root: copy.path,
  });
  return { code, said: stdout + stderr, connections };
}

test.each([[["plan"]], [["apply", "--auto-approve"]], [["status"]]])(
  "a definition that does not resolve never connects: circl %s",
  async (command) => {
    const broken = await dialled(command, sound.replace('maxAge: "7d"', 'maxAge: "a week"'));
    expect(broken).toMatchObject({ code: 1, connections: 0, said: expect.stringContaining("a week") });
    const forbidden = await dialled(command, sound.replace('duplicateWindow: "2m"', 'duplicateWindow: "30d"'));
    expect(forbidden).toMatchObject({
      code: 1,
      connections: 0,
      said: expect.stringContaining("duplicateWindow is 30d"),
    });
    // The same command on sound ones does.
    expect((await dialled(command, sound)).connections).toBeGreaterThan(0);
  },
);
