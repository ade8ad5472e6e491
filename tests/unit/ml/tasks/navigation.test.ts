import { describe, expect, it } from 'vitest';
import { Philox } from '../../../../main/ml/random/philox.ts';
import { compassPoint, relativeTurn, wrapDeg } from '../../../../main/ml/tasks/navigation/headings.ts';
import { navigation } from '../../../../main/ml/tasks/navigation/navigation.ts';
import { type Route, instructionsOf, pointsOf } from '../../../../main/ml/tasks/navigation/route.ts';
import { parseRouteFile } from '../../../../main/ml/tasks/navigation/routeFile.ts';
import { defaultShape, drawRoute } from '../../../../main/ml/tasks/navigation/syntheticRoutes.ts';
import type { Split } from '../../../../main/ml/tasks/task.ts';
import type { TextEpisode } from '../../../../main/ml/tasks/textTask.ts';

/** Northwest to north (across 0 degrees), then east, then southeast. */
const route: Route = {
  initialHeadingDeg: 315,
  legs: [
    { headingDeg: 10, facing: 'north', forwards: 1, landmark: 'Harbor Bakery is on your left' },
    { headingDeg: 90, facing: 'east', forwards: 0, landmark: null },
    { headingDeg: 135, facing: 'southeast', forwards: 2, landmark: 'The destination Elm Gym is on your right' },
  ],
};
const task = navigation();
const episodeOf = (split: Split): TextEpisode<Route> => ({
  task: 'navigation',
  split,
  keys: { multiset: '', ordered: '' },
  problem: route,
});

describe('headings', () => {
  it('wrap to (-180, 180], by hand and for all whole degrees', () => {
    expect([350 - 10, 10 - 350, 180, -180, 540, -190, 0].map(wrapDeg)).toEqual([-20, 20, 180, 180, 180, 170, 0]);
    for (let degrees = -720; degrees <= 720; degrees++) {
      const wrapped = wrapDeg(degrees);
      expect(wrapped > -180 && wrapped <= 180).toBe(true);
      expect((wrapped - degrees) % 360 === 0).toBe(true);
    }
  });
  it('turn slightly up to 45 degrees, whichever side of north', () => {
    const turns: [number, number, string][] = [
      [315, 0, 'slightly right'],
      [0, 315, 'slightly left'],
      [350, 60, 'right'],
      [10, 320, 'left'],
      [90, 45, 'slightly left'],
      [90, 135, 'slightly right'],
      [90, 136, 'right'],
      [90, 44, 'left'],
      [90, 270, 'right'],
      [90, 90, 'slightly left'],
    ];
    for (const [from, to, turn] of turns) expect(relativeTurn(from, to), `${from} to ${to}`).toBe(turn);
    for (let from = 0; from < 360; from += 15)
      for (let by = 0; by < 360; by += 15) {
        // turning the map changes nothing
        expect(relativeTurn(from, from + by)).toBe(relativeTurn(0, by));
        expect(relativeTurn(from, from + by)).toBe(relativeTurn(from - 360, from + by + 360));
      }
  });
  it('name the nearest compass point', () => {
    expect([0, 22, 23, 45, 177, 337, 338, 360, -45].map(compassPoint)).toEqual(
      'north north northeast northeast south northwest north north northwest'.split(' '),
    );
  });
});

describe('a route by hand', () => {
  it('has two instructions a leg', () => {
    expect(instructionsOf(route)).toEqual([
      'First, turn right to face north.',
      'Move forward until you reach next intersection where Harbor Bakery is on your left.',
      'Turn right to face east.',
      'Move forward until you reach next intersection.',
      'Turn slightly right to face southeast.',
      'Move forward until you reach destination where The destination Elm Gym is on your right.',
    ]);
  });
  it('asks for these actions at these points', () => {
    const seen = (split: Split) => pointsOf(route, split).map(({ observation, action }) => [observation, action]);
    const none = 'No landmarks nearby;';
    expect(seen('inDist')).toEqual([
      [none, 'turn_direction(north)'],
      [none, 'forward()'],
      ['Harbor Bakery is on your left; You observe an intersection', 'turn_direction(east)'],
      [`${none} You observe an intersection`, 'turn_direction(southeast)'],
      [none, 'forward()'],
      [none, 'forward()'],
      ['The destination Elm Gym is on your right;', 'stop()'],
    ]);
    expect(seen('ood').map(([, action]) => action)).toEqual([
      'turn_direction(right)',
      'forward()',
      'turn_direction(right)',
      'turn_direction(slightly right)',
      'forward()',
      'forward()',
      'stop()',
    ]);
  });
  it('shows the history with the actions of its split, and leaves the last one open', () => {
    const [, , third] = task.examples(episodeOf('ood'));
    expect(third!.prompt).toHaveLength(1);
    expect(third!.prompt[0]!.content).toContain(
      'O_1: No landmarks nearby;\nA_1: turn_direction(right)\nO_2: No landmarks nearby;\nA_2: forward()\n' +
        'O_3: Harbor Bakery is on your left; You observe an intersection\nA_3:\n',
    );
    expect(third!.answer.text).toBe(
      '{\n  "current observation": "Harbor Bakery is on your left; You observe an intersection",\n' +
        '  "current instruction": "Turn right to face east.",\n  "action": "turn_direction(right)",\n}',
    );
  });
  it('is left at the second wrong action at one point, and the tries start again after a right one', () => {
    const answers = task.examples(episodeOf('inDist')).map(({ answer }) => answer.text);
    const wrong = '{"action": "turn_direction(west)"}';
    const dialogue = task.open(episodeOf('inDist'), { attempts: 2 });
    for (const answer of answers.slice(0, -1)) {
      expect(dialogue.step(wrong)).toMatchObject({ done: false });
      expect(dialogue.messages).toHaveLength(3);
      expect(dialogue.step(answer)).toMatchObject({ done: false, reward: 1 });
      expect(dialogue.messages).toHaveLength(1);
    }
    expect(dialogue.step(wrong)).toMatchObject({ done: false, reward: -1 });
    expect(dialogue.step(wrong)).toMatchObject({ done: true, success: false, limitReached: true, reward: -2 });
    const once = task.open(episodeOf('inDist'), { attempts: 1 });
    expect(once.step(wrong)).toMatchObject({ done: true, success: false, reward: -1 });
  });
});

describe('the verifier', () => {
  const judge = (position: number, fields: Record<string, string>, split: Split = 'inDist') =>
    task.verify(episodeOf(split), JSON.stringify(fields), position);
  it('costs more where a wrong action comes with a wrong claim about an intersection', () => {
    const at = 'You observe an intersection';
    expect(judge(1, { 'current observation': at, action: 'stop()' })).toMatchObject({ reward: -1.5, reason: 'not_at_intersection' }); // prettier-ignore
    expect(judge(1, { 'current observation': 'none', action: 'stop()' })).toMatchObject({ reward: -1, reason: 'wrong_action' }); // prettier-ignore
    expect(judge(2, { 'current observation': 'none', action: 'stop()' })).toMatchObject({ reward: -1.5, reason: 'at_intersection' }); // prettier-ignore
    expect(judge(2, { 'current observation': at, action: 'stop()' })).toMatchObject({ reward: -1, reason: 'wrong_action' }); // prettier-ignore
    expect(judge(1, { 'current observation': at, action: 'forward()' })).toMatchObject({ reward: 1, cardOk: false });
  });
  it('takes an action whatever its blanks, quotes and capitals, and no other', () => {
    for (const action of ["turn_direction('north')", ' Turn_Direction( north ) '])
      expect(judge(0, { action })).toMatchObject({ correct: true });
    for (const action of ['turn_direction(northeast)', 'north', 'turn_direction(north) stop()', ''])
      expect(judge(0, { action })).toMatchObject({ correct: false, formatOk: true });
    expect(judge(3, { action: 'turn_direction(slightly  right)' }, 'ood')).toMatchObject({ correct: true });
  });
  it('judges an action by the instruction that the answer names', () => {
    const [turn, move, east] = instructionsOf(route);
    expect(judge(0, { 'current instruction': turn!, action: 'turn_direction(north)' })).toMatchObject({ numberOk: true, formulaOk: true }); // prettier-ignore
    expect(judge(0, { 'current instruction': `2. ${move}`, action: 'forward()' })).toMatchObject({ correct: false, numberOk: false, formulaOk: true }); // prettier-ignore
    expect(judge(0, { 'current instruction': east!, action: 'turn_direction(north)' })).toMatchObject({ correct: true, numberOk: false, formulaOk: false }); // prettier-ignore
  });
  it('calls the other action space a slip', () => {
    expect(judge(0, { action: 'turn_direction(right)' })).toMatchObject({ correct: false, ruleSlip: true });
    expect(judge(0, { action: 'turn_direction(north)' }, 'ood')).toMatchObject({ correct: false, ruleSlip: true });
    expect(judge(0, { action: 'turn_direction(left)' })).toMatchObject({ correct: false, ruleSlip: false });
  });
});

describe('synthetic routes', () => {
  it('walk the grid without crossing themselves, going straight on or turning back, and repeat no landmark', () => {
    let drawn = 0;
    for (let i = 0; i < 400; i++) {
      const found = drawRoute(defaultShape, new Philox('routes', i));
      if (found === null) continue;
      drawn++;
      const cells = new Set(['0,0']);
      let [x, y, points] = [0, 0, 1];
      found.legs.forEach(({ headingDeg, facing, forwards, landmark }, leg) => {
        expect(facing).toBe(compassPoint(headingDeg));
        if (leg > 0) expect([45, 90, 135]).toContain(Math.abs(wrapDeg(headingDeg - found.legs[leg - 1]!.headingDeg)));
        for (let step = 0; step <= forwards; step++, points++) {
          x += { east: 1, northeast: 1, southeast: 1, west: -1, northwest: -1, southwest: -1, north: 0, south: 0 }[facing]; // prettier-ignore
          y += { north: 1, northeast: 1, northwest: 1, south: -1, southeast: -1, southwest: -1, east: 0, west: 0 }[facing]; // prettier-ignore
          cells.add(`${x},${y}`);
        }
        expect(landmark?.startsWith('The destination ') ?? false).toBe(leg === found.legs.length - 1);
      });
      expect(cells.size).toBe(points);
      const landmarks = found.legs.flatMap(({ landmark }) => landmark?.replace('The destination ', '').split(' is ')[0] ?? []); // prettier-ignore
      expect(new Set(landmarks).size).toBe(landmarks.length);
      // every step of the grid is a point where an action is due
      expect(pointsOf(found, 'inDist')).toHaveLength(points);
    }
    expect(drawn).toBeGreaterThan(200);
  });
});

describe('route files', () => {
  const published = (milestones: string, heading: number | null = 310): string =>
    JSON.stringify([[{ init_heading: heading, milestone_info: milestones, start_place: { name: 'x' } }], 1]);
  const milestones = `{
    "landmarks": "Harbor Bakery is on your left",
    "to_next_intersection_heading": "10 (north)",
}
{
    "landmarks": "No landmark nearby",
    "to_next_intersection_heading": "157 (south)",
}
{
    "landmarks": "The destination Elm Gym: North is on your right",
    "to_next_intersection_heading": "135 (southeast)"
}`;
  it('are read in our form and written prompts come of them', () => {
    const legs = route.legs.map(({ headingDeg, forwards, landmark }) => ({ headingDeg, forwards, landmark }));
    const [read] = parseRouteFile(JSON.stringify({ routes: [{ initialHeadingDeg: 315, legs }] }));
    expect(read).toEqual(route);
    const imported = navigation({ routes: [read!], testShare: 1 });
    expect(imported.heldOutEpisodes('ood', 1, 1)[0]!.problem).toEqual(route);
    expect(() => imported.heldOutEpisodes('ood', 2, 1)).toThrow('has about 1');
  });
  it('are read in the published form; the file names the compass point', () => {
    const [read] = parseRouteFile(published(milestones), { forwardsPerLeg: 3 });
    expect(read).toEqual({
      initialHeadingDeg: 310,
      legs: [
        { headingDeg: 10, facing: 'north', forwards: 3, landmark: 'Harbor Bakery is on your left' },
        { headingDeg: 157, facing: 'south', forwards: 3, landmark: null },
        { headingDeg: 135, facing: 'southeast', forwards: 3, landmark: 'The destination Elm Gym: North is on your right' }, // prettier-ignore
      ],
    });
    const [without] = parseRouteFile(published(milestones, 0));
    expect(parseRouteFile(published(milestones, null))[0]!.initialHeadingDeg).toBe(without!.initialHeadingDeg);
  });
  const bad: [string, string, RegExp][] = [
    ['no JSON', '{', /not JSON/],
    ['another form', '{"legs": []}', /at routes/],
    ['no route', '{"routes": []}', /at routes/],
    ['a foreign field', '{"routes": [{"initialHeadingDeg": 0, "legs": [], "x": 1}]}', /at routes\.0/],
    ['no leg', '{"routes": [{"initialHeadingDeg": 0, "legs": []}]}', /at routes\.0\.legs/],
    ['a landmark of two lines', '{"routes": [{"initialHeadingDeg": 0, "legs": [{"headingDeg": 0, "forwards": 1, "landmark": "a\\nb"}]}]}', /routes\.0\.legs\.0\.landmark: must be one line/], // prettier-ignore
    ['half a degree', '{"routes": [{"initialHeadingDeg": 0.5, "legs": [{"headingDeg": 0, "forwards": 1, "landmark": "a"}]}]}', /initialHeadingDeg/], // prettier-ignore
    ['too many points', '{"routes": [{"initialHeadingDeg": 0, "legs": [{"headingDeg": 0, "forwards": 999, "landmark": "a"}]}]}', /forwards/], // prettier-ignore
    ['no destination', '{"routes": [{"initialHeadingDeg": 0, "legs": [{"headingDeg": 0, "forwards": 1}]}]}', /no landmark at its last leg/], // prettier-ignore
    ['a published route without legs', published('nothing'), /Route 0 .* has 0 legs/],
    ['a heading without a point', published('{\n"to_next_intersection_heading": "10",\n}'), /leg 0 has no to_next/],
    ['a heading far from its point', published(milestones.replace('10 (north)', '100 (north)')), /100 degrees, which is not north/], // prettier-ignore
    ['a point that is none', published(milestones.replace('(north)', '(upward)')), /not upward/],
    ['a count that is none', '[[{"milestone_info": ""}], "1"]', /at 1/],
  ];
  it.each(bad)('are refused with the place of the fault: %s', (_, text, message) => {
    expect(() => parseRouteFile(text)).toThrow(message);
  });
});
