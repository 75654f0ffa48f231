/** Which binaries an image stands for. There is no container engine: an image is a folder with busybox and its programs. */
import { spawnSync } from "node:child_process";
import { constants } from "node:fs";
import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** One kind of image. */
interface Kind {
  /** Without the registry. */
  readonly name: string;
  readonly tag: RegExp;
  /** What it runs, and what it calls its program. */
  readonly program: string;
  /** Tool of tools.json for a minor version. @default the program */
  readonly tool?: (minor: string) => string;
}

const VERSION = /^(\d+\.\d+)\.\d+$/;

/** Every image that a pod may name, and nothing else. All of them are alpine's, so busybox is their shell. */
const IMAGES: readonly Kind[] = [
  {
    name: "nats",
    tag: /^(\d+\.\d+)\.\d+-alpine$/,
    program: "nats-server",
    tool: (minor) => (minor === "2.14" ? "nats-server" : `nats-server-${minor}`),
  },
  {
    name: "natsio/nats-server-config-reloader",
    tag: VERSION,
    program: "nats-server-config-reloader",
    tool: () => "config-reloader",
  },
  {
    name: "natsio/prometheus-nats-exporter",
    tag: VERSION,
    program: "prometheus-nats-exporter",
    tool: () => "nats-exporter",
  },
  { name: "tile38/tile38", tag: VERSION, program: "tile38-server" },
  // What the load of a proof is: the Node that runs this.
  { name: "library/node", tag: /^(\d+)-alpine$/, program: "node" },
  { name: "busybox", tag: /^(\d+\.\d+)/, program: "busybox" },
];

/** Programs by name of tool ("nats-server"), and how to read the version of one. */
export interface Tools {
  readonly pathOf: (name: string) => string;
  /** Version that a tool is pinned to, undefined where any will do. */
  readonly versionOf: (name: string) => string | undefined;
}

export interface Image {
  /** Its files, from which each container gets a layer of its own. */
  readonly folder: string;
  /** Its program, where a container says none. */
  readonly entrypoint: string;
}

/** Unpacks images below `folder`, each once. */
export function imagesIn(folder: string, tools: Tools): (reference: string) => Promise<Image> {
  const unpacked = new Map<string, Promise<Image>>();
  return (reference) => {
    const image = unpacked.get(reference) ?? unpack(join(folder, String(unpacked.size)), reference, tools);
    unpacked.set(reference, image);
    return image;
  };
}

/** @throws Error for an image that is not in the table, and for a program in another version than the tag says */
async function unpack(folder: string, reference: string, { pathOf, versionOf }: Tools): Promise<Image> {
  const [, path = "", tag = ""] = /^(.+?)(?::([^:@/]+))?(?:@.*)?$/.exec(reference) ?? [];
  const kind = IMAGES.find(({ name }) => path === name || path.endsWith(`/${name}`));
  const [full = "", minor = ""] = kind?.tag.exec(tag) ?? [];
  if (!kind || full === "")
    throw new Error(`no program stands for the image ${reference}: add it to src/proof/agent/images.ts`);
  const tool = kind.tool?.(minor) ?? kind.program;
  const [wanted, pinned] = [full.replace("-alpine", ""), versionOf(tool)];
  if (pinned && pinned !== wanted) {
    throw new Error(`the image ${reference} wants ${kind.program} ${wanted}, and tools.json pins ${tool} to ${pinned}`);
  }
  const busybox = pathOf("busybox");
  const folders = ["bin", "usr/bin", "usr/local/bin", "etc", "proc", "dev", "tmp", "run", "var", "root"];
  for (const name of folders) await mkdir(join(folder, name), { recursive: true });
  for (const applet of appletsOf(busybox).filter((name) => name !== "busybox")) {
    await symlink("/bin/busybox", join(folder, "bin", applet));
  }
  await copyFile(busybox, join(folder, "bin/busybox"), constants.COPYFILE_FICLONE);
  if (tool !== "busybox") {
    await copyFile(pathOf(tool), join(folder, "usr/local/bin", kind.program), constants.COPYFILE_FICLONE);
  }
  await symlink("../run", join(folder, "var/run"));
  await writeFile(join(folder, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
  return { folder, entrypoint: kind.program };
}

const appletsOf = (busybox: string): readonly string[] =>
  spawnSync(busybox, ["--list"], { encoding: "utf8" })
    .stdout.trim()
    .split("\n")
    .map((applet) => basename(applet));
