/** A decision on a route of three legs, chosen field by field. */
import { AppError } from '../../contract/errors.ts';
import type { PlayField } from '../../contract/play.ts';
import { compassPoints } from '../tasks/navigation/headings.ts';
import { decisionEpisode, landmarks, type Decision } from '../tasks/navigation3.ts';
import { fieldValue } from './fieldValue.ts';
import type { TokenQuestion } from './tokenPlay.ts';

const legs = [1, 2, 3];
const directions: string[] = [...compassPoints];
const start: PlayField = { name: 'start', label: 'Heading at the start', choices: directions, hint: '' };
const ways = legs.map((leg): [PlayField, PlayField] => [
  { name: `direction${leg}`, label: `Leg ${leg}: direction`, choices: directions, hint: '' },
  { name: `landmark${leg}`, label: `Leg ${leg}: landmark`, choices: landmarks, hint: '' },
]);
const done: PlayField = {
  name: 'done',
  label: 'Instructions carried out',
  choices: Array.from({ length: 2 * legs.length + 1 }, (_, count) => String(count)),
  hint: '',
};

function decisionOf(inputs: Record<string, string>): Decision {
  const at = (field: PlayField): number => field.choices.indexOf(fieldValue(field, inputs));
  const route = {
    start: at(start),
    directions: ways.map(([direction]) => at(direction)),
    landmarks: ways.map(([, landmark]) => at(landmark)),
  };
  const same = route.directions.findIndex((to, leg) => to === (leg === 0 ? route.start : route.directions[leg - 1]));
  if (same >= 0)
    throw new AppError('INVALID_REQUEST', `Leg ${same + 1} goes on in the same direction.`, {
      hint: 'Every leg begins with a turn: choose another direction.',
    });
  if (new Set(route.landmarks).size < legs.length)
    throw new AppError('INVALID_REQUEST', 'Two legs end at the same landmark.', { hint: 'Choose three of them.' });
  const count = at(done);
  // At the end of a leg its landmark is seen.
  return { route, done: count, seen: count > 0 && count % 2 === 0 ? route.landmarks[count / 2 - 1]! : null };
}

export const navigation3Question: TokenQuestion = {
  label: 'Navigation, three legs',
  fields: [start, ...ways.flat(), done],
  rules: { inDist: 'turns are named by compass point', ood: 'turns are named relative to the present heading' },
  example(random) {
    let heading = random.int(8);
    const inputs: Record<string, string> = { start: directions[heading]!, done: String(2 * random.int(legs.length)) };
    const goals = random.permutation(landmarks.length);
    for (const [leg, [direction, landmark]] of ways.entries()) {
      heading = (heading + 1 + random.int(7)) % 8;
      inputs[direction.name] = directions[heading]!;
      inputs[landmark.name] = landmarks[goals[leg]!]!;
    }
    return inputs;
  },
  episode: (inputs, split) => ({ ...decisionEpisode(decisionOf(inputs), split), solvable: true }),
  reason(_, __, { formatOk, numberOk, correct, ruleSlip }) {
    if (correct) return 'What is seen, the instruction that is due, and its action.';
    if (ruleSlip) return 'It would be right under the rule of the other split.';
    if (!formatOk) return 'Not of the form OBS o INSTR kind argument ACTION verb argument.';
    return numberOk ? 'The action is not what the instruction calls for.' : 'Another instruction is due now.';
  },
};
