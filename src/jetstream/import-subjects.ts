/** Which subjects lie in a stream, as few patterns: tokens that take many values, such as device ids, become "*". */

/** Messages by pattern. */
export interface Seen {
  readonly pattern: string;
  readonly messages: number;
}

/** Values of one token before they are taken for ids: more than a stream has kinds of events, fewer than it has devices. */
const KINDS = 12;

interface Node {
  /** Messages on exactly this subject. */
  messages: number;
  readonly children: Map<string, Node>;
}

/** Patterns of `subjects`, the busiest first. */
export function seenPatterns(subjects: ReadonlyMap<string, number>): Seen[] {
  const root: Node = { messages: 0, children: new Map() };
  for (const [subject, messages] of subjects) {
    let node = root;
    for (const token of subject.split(".")) node = childOf(node, token);
    node.messages += messages;
  }
  return [...patternsBelow(root, [])].sort((a, b) => b.messages - a.messages || (a.pattern < b.pattern ? -1 : 1));
}

function* patternsBelow(node: Node, tokens: readonly string[]): Generator<Seen> {
  if (node.messages > 0) yield { pattern: tokens.join("."), messages: node.messages };
  const children = node.children.size > KINDS ? new Map([["*", mergeAll(node.children.values())]]) : node.children;
  for (const [token, child] of children) yield* patternsBelow(child, [...tokens, token]);
}

function mergeAll(nodes: Iterable<Node>): Node {
  const merged: Node = { messages: 0, children: new Map() };
  for (const node of nodes) mergeInto(merged, node);
  return merged;
}

function mergeInto(target: Node, node: Node): void {
  target.messages += node.messages;
  for (const [token, child] of node.children) mergeInto(childOf(target, token), child);
}

function childOf(node: Node, token: string): Node {
  const found = node.children.get(token);
  if (found) return found;
  const made: Node = { messages: 0, children: new Map() };
  node.children.set(token, made);
  return made;
}
