import { describe, expect, it } from 'vitest';
import { parseSearch, paths, safeReturnPath, stringifySearch } from './paths';
import { keepScope } from './shared/location';

describe('addresses', () => {
  it('are the same for the same view, whatever the order it was built in', () => {
    expect(stringifySearch({ severity: 'high', family: 'sarif', search: '' })).toBe(stringifySearch({ family: 'sarif', severity: 'high', item: undefined }));
  });

  it('bring back every character of what was searched for', () => {
    const search = { search: 'a&b=c? #ü/%20 <script>' };
    expect(parseSearch(stringifySearch(search))).toEqual(search);
  });

  it('keep words as words: a search for 123 or true is not a number or a flag', () => {
    expect(parseSearch('?search=123&item=true')).toEqual({ search: '123', item: 'true' });
  });

  it('carry names that would otherwise change the path', () => {
    expect(paths.report('r/1', '../x&y.html')).toBe('/runs/r%2F1/report?name=..%2Fx%26y.html');
    expect(paths.artifact('r', 'a/b.json')).toBe('/api/v1/runs/r/artifacts/a%2Fb.json');
  });

  it('never end like a file, since the server would look for one', () => {
    expect(paths.report('r', 'TestResults.html').split('?')[0]).not.toContain('.');
  });

  it('keep the scope, unless they name one', () => {
    const present = { directory: 'd1', project: 'p1', severity: 'high' };
    expect(keepScope('/runs', present)).toBe('/runs?directory=d1&project=p1');
    expect(keepScope('/findings?project=p2', present)).toBe('/findings?directory=d1&project=p2');
  });
});

describe('the way back after sign-in', () => {
  it('leads to the page that was asked for', () => {
    expect(safeReturnPath('/findings?severity=high&item=1')).toBe('/findings?severity=high&item=1');
  });

  it.each(['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:alert(1)', '/a\\b', '/a\nb', '', null, undefined])('never leaves the portal: %j', (path) => {
    expect(safeReturnPath(path)).toBe('/');
  });
});
