/**
 * The network of all nodes: one bridge, and an address on it for each pod. The machine itself has the first address and plays
 * the node, from which probes come. Nothing is routed further.
 */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { networkInterfaces } from "node:os";
import { run } from "../system.ts";

export interface Network extends AsyncDisposable {
  /** Address of the machine, which is that of every node. */
  readonly gateway: string;
  /** Gives the network namespace of a process a card named eth0 and the way to the others. Resolves to its address. */
  connect(pid: number): Promise<string>;
  /** Takes a pod's card away from the others, or gives it back. */
  plug(address: string, connected: boolean): Promise<void>;
  /** Lets the address be given to another pod. */
  release(address: string): void;
}

/** A bridge that goes with this process, even where that is killed: the shell reads until its pipe is closed. */
const KEEPER = 'read -r _; ip link delete "$0" 2>/dev/null; exit 0';

/** @throws Error where the user may not make a bridge */
export async function openNetwork(): Promise<Network> {
  const id = randomBytes(4).toString("hex");
  const bridge = `circl-${id}`;
  const prefix = freePrefix();
  const gateway = `${prefix}.1`;
  const keeper = spawn("sh", ["-c", KEEPER, bridge], { detached: true, cwd: "/", stdio: ["pipe", "ignore", "ignore"] });
  await once(keeper, "spawn");
  const close = async () => {
    const gone = once(keeper, "exit");
    keeper.stdin.end();
    await gone;
  };
  const made = `link add ${bridge} type bridge\naddress add ${gateway}/24 dev ${bridge}\nlink set ${bridge} up\n`;
  await run("ip", ["-batch", "-"], made).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const taken = new Set<number>();
  let last = 9;
  const next = (): number => {
    do last = last >= 250 ? 10 : last + 1;
    while (taken.has(last));
    taken.add(last);
    return last;
  };
  const card = (number: number): string => `v${id}${number}`;
  const numberOf = (address: string): number => Number(address.slice(prefix.length + 1));
  return {
    gateway,
    async connect(pid) {
      const number = next();
      const address = `${prefix}.${number}`;
      await run("ip", ["link", "add", card(number), "type", "veth", "peer", "name", "eth0", "netns", String(pid)]);
      await run("ip", ["link", "set", card(number), "master", bridge, "up"]);
      await run(
        "nsenter",
        [`--net=/proc/${pid}/ns/net`, "ip", "-batch", "-"],
        `link set lo up\naddress add ${address}/24 dev eth0\nlink set eth0 up\nroute add default via ${gateway}\n`,
      );
      return address;
    },
    async plug(address, connected) {
      await run("ip", ["link", "set", card(numberOf(address)), connected ? "up" : "down"]);
    },
    release(address) {
      taken.delete(numberOf(address));
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Of 10.64.0.0/10, beside every address that this machine has; others may run a proof at the same time. */
function freePrefix(): string {
  const used = Object.values(networkInterfaces()).flatMap((cards) => cards ?? []);
  for (;;) {
    const [a = 0, b = 0] = randomBytes(2);
    const prefix = `10.${64 + (a % 64)}.${b}`;
    if (!used.some(({ address }) => address.startsWith(`${prefix}.`))) return prefix;
  }
}
