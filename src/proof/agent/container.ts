/** A container as a process: the namespaces of its pod, a root of its own made of an image, and its volumes at their paths. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { PATH, quote, signal } from "../system.ts";
import type { Image } from "./images.ts";
import type { Sandbox } from "./sandbox.ts";

export interface ContainerInput {
  readonly image: Image;
  readonly sandbox: Sandbox;
  /** Whether it sees the processes of the other containers. */
  readonly sharesProcesses: boolean;
  /** For its layer and its roots; removed with the pod. */
  readonly folder: string;
  readonly log: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  readonly readOnlyRoot: boolean;
  readonly mounts: readonly Mount[];
}

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface RunningContainer {
  /** Of its main process, as the machine sees it; 0 where it could not be started. */
  readonly pid: number;
  /** To the exit code, as Kubernetes says it: 128 and the number of the signal where one ended it. */
  readonly exited: Promise<number>;
  signal(name: NodeJS.Signals): void;
  /** Runs a command in it as its user; the exit code, or undefined where it took longer than `timeout` ms. */
  exec(argv: readonly string[], timeout: number): Promise<number | undefined>;
}

/** Starts a container. It may end at once: `exited` tells, and its log. */
export async function startContainer(input: ContainerInput): Promise<RunningContainer> {
  const { sandbox, folder, env, user, sharesProcesses } = input;
  for (const name of ["root", "upper", "work"]) mkdirSync(join(folder, name), { recursive: true });
  const output = openSync(input.log, "a");
  const enter = [`--target=${sandbox.pid}`, "--net", "--uts", "--ipc", "--pid", "--"];
  // This shell makes the first process there and says which signal ended it: of SIGKILL `unshare --fork` 2.38 says 1.
  const own = sharesProcesses ? ["--", "sh", "-c"] : ["--pid", "--", "sh", "-c", 'sh -c "$0"; exit $?'];
  const child = spawn("nsenter", [...enter, "unshare", "--mount", ...own, script(input)], {
    env: { PATH, ...env },
    cwd: "/",
    detached: true,
    stdio: ["ignore", output, output, "pipe"],
  });
  closeSync(output);
  const exited = once(child, "exit").then(([code, signal]) =>
    signal ? 128 + constants.signals[signal as NodeJS.Signals] : code,
  );
  const said = once(createInterface({ input: child.stdio[3] as Readable }), "line");
  const pid = Number((await Promise.race([said, exited.then(() => ["0"])]))[0]);
  return {
    pid,
    exited,
    signal(name) {
      // Once it has ended another process may have its number.
      if (child.exitCode === null && child.signalCode === null) signal(pid, name);
    },
    async exec(argv, timeout) {
      const into = [`--target=${pid}`, "--mount", "--net", "--uts", "--ipc", "--pid", "--root", "--wdns=/"];
      const as = [`--setuid=${user.uid}`, `--setgid=${user.gid}`];
      const probe = spawn("nsenter", [...into, ...as, "--", ...argv], {
        env: { PATH, ...env },
        detached: true,
        stdio: "ignore",
      });
      const timer = setTimeout(() => signal(-(probe.pid ?? 0), "SIGKILL"), timeout);
      const [code] = await once(probe, "exit").finally(() => clearTimeout(timer));
      return code ?? undefined;
    },
  };
}

/**
 * Runs in the namespaces of the pod and a mount namespace of its own, in which nothing that it mounts is seen outside. It says
 * its pid as the machine sees it, which it has as long as the machine's /proc is the one it sees, and keeps it to the end.
 */
function script({ image, folder, argv, user, readOnlyRoot, mounts }: ContainerInput): string {
  const root = join(folder, "root");
  const layers = `lowerdir=${image.folder},upperdir=${join(folder, "upper")},workdir=${join(folder, "work")}`;
  const bind = ({ source, target, readOnly }: Mount): string[] => {
    const at = quote(join(root, target));
    const file = `[ -d ${quote(source)} ] && mkdir -p ${at} || { mkdir -p "$(dirname ${at})"; touch ${at}; }`;
    return [file, `mount --bind ${readOnly ? "-o ro " : ""}${quote(source)} ${at}`];
  };
  return [
    "set -eu",
    "read -r pid _ </proc/self/stat",
    `mount -t overlay overlay -o ${quote(layers)} ${quote(root)}`,
    `mount -t proc proc ${quote(join(root, "proc"))}`,
    // busybox of Debian is linked to these; the programs of the images are not.
    ...["/lib", "/lib64"].flatMap((libraries) => bind({ source: libraries, target: libraries, readOnly: true })),
    ...["null", "zero", "full", "random", "urandom"].flatMap((device) =>
      bind({ source: `/dev/${device}`, target: `/dev/${device}`, readOnly: false }),
    ),
    ...mounts.flatMap(bind),
    readOnlyRoot ? `mount -o remount,ro ${quote(root)}` : ":",
    `cd ${quote(root)}`,
    'echo "$pid" >&3',
    "exec 3>&-",
    // Becoming another user than root takes away every capability, and this that one ever comes back.
    [
      "exec setpriv --no-new-privs chroot",
      `--userspec=${user.uid}:${user.gid}`,
      `--groups=${user.groups.join(",")}`,
      quote(root),
      ...argv.map(quote),
    ].join(" "),
  ].join("\n");
}
