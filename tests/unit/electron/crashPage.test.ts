import { expect, test } from 'vitest';
import { actionOfAddress, crashPage, crashPageAddress } from '../../../electron/crashPage.ts';

const report = { fact: 'The engine ended with code 1.', nextStep: 'Restart it.', lines: ['first', '<b>&"last"'] };

test('says the fact, the next step and the last lines, as text', () => {
  const html = crashPage(report);
  for (const text of ['The engine ended with code 1.', 'Restart it.', 'first\n&#60;b&#62;&#38;&#34;last&#34;']) {
    expect(html).toContain(text);
  }
  expect(html).not.toContain('<b>');
  expect(html).not.toContain('<script');
  expect(html).toContain(`default-src 'none'`);
});

test('shows the newest lines only, and no list without lines', () => {
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}.`);
  expect(crashPage({ ...report, lines })).toContain('line 99.');
  expect(crashPage({ ...report, lines })).not.toContain('line 80.');
  expect(crashPage({ ...report, lines: [] })).not.toContain('Last lines');
});

test('its links are its actions, and no other address is one', () => {
  const links = [...crashPage(report).matchAll(/href="([^"]+)"/g)].map(([, address]) => actionOfAddress(address!));
  expect(links).toEqual(['restart', 'copy', 'quit']);
  for (const address of [
    'rotascope-action:format',
    'https://restart',
    'restart',
    'x-rotascope-action:quit',
    'Rotascope-action;quit',
    '',
  ]) {
    expect(actionOfAddress(address), address).toBeNull();
  }
});

test('its address holds the whole page, whatever the text', () => {
  const address = crashPageAddress({ ...report, fact: '100 % of "#" & ümlauts?' }, 'Copied.');
  const [, html] = address.split('data:text/html;charset=utf-8,');
  expect(decodeURIComponent(html!)).toBe(crashPage({ ...report, fact: '100 % of "#" & ümlauts?' }, 'Copied.'));
});
