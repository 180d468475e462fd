// The first page: is all well, since when, and what to do if not.

import {h, icon, slot} from './dom.js';
import {map} from './map.js';
import {plot} from './plot.js';
import {alarms, headline, sites, state, subscribe} from './state.js';
import {bytes, fullTime, number, plural, skewText, time} from './words.js';

const kSigns = {good: 'check', busy: 'sync', warn: 'pause', bad: 'alert'};

function hero(line) {
    return h('section', {class: `hero ${line.kind}`, 'aria-live': 'polite'},
             h('div', {class: 'hero-sign'}, icon(kSigns[line.kind], 40)),
             h('div', {}, h('h1', {id: 'headline'}, line.title),
               h('p', {class: 'lead'}, line.text, line.since
                   ? h('time', {datetime: new Date(line.since).toISOString(),
                                title: fullTime(line.since)}, time(line.since))
                   : '', line.since ? '.' : '')));
}

function alarm(one) {
    return h('li', {class: `notice ${one.kind}`},
             icon(one.kind === 'info' ? 'info' : 'caution', 22),
             h('div', {}, h('p', {class: 'notice-title'}, one.title), h('p', {}, one.text),
               one.link && h('p', {}, h('a', {href: one.link}, one.linkText))));
}

function rootWords(site, compared) {
    if (site.self) return 'this site';
    const verdict = compared && compared.peers.find((peer) => peer.site === site.site);
    return {agrees: 'same as here', differs: 'different', behind: 'on the way',
            ahead: 'on the way', diverged: 'on the way'}[verdict && verdict.state] || 'not known';
}

function row(site, compared) {
    const peer = site.peer;
    return h('tr', {},
             h('th', {scope: 'row'}, h('span', {class: `dot ${site.kind}`}), site.name),
             h('td', {'data-label': 'State'}, site.words,
               site.detail && h('span', {class: 'soft'}, ` · ${site.detail}`)),
             h('td', {'data-label': 'Records'}, rootWords(site, compared)),
             h('td', {'data-label': 'Coming', class: 'num'},
               peer && peer.state === 'connected' ? number(peer.behind) : '–'),
             h('td', {'data-label': 'Going', class: 'num'},
               peer && peer.state === 'connected' ? number(peer.ahead) : '–'),
             h('td', {'data-label': 'Clock'},
               peer && peer.state === 'connected' ? skewText(peer.skew_ms).replace('clock ', '')
                   : '–'));
}

function siteTable(all, compared) {
    return h('table', {class: 'table stack'},
             h('caption', {class: 'hidden'}, 'All sites as seen from this one'),
             h('thead', {}, h('tr', {}, ['Site', 'State', 'Records', 'Coming', 'Going', 'Clock']
                 .map((text, i) => h('th', {scope: 'col', class: i === 3 || i === 4 ? 'num' : ''},
                                     text)))),
             h('tbody', {}, all.map((site) => row(site, compared))));
}

function figure(value, label, href) {
    const inside = [h('span', {class: 'figure-value'}, value),
                    h('span', {class: 'figure-label'}, label)];
    return href ? h('a', {class: 'card figure', href}, inside)
                : h('div', {class: 'card figure'}, inside);
}

function plots(width) {
    const samples = state.samples;
    if (samples.length < 3)
        return [h('p', {class: 'soft'}, 'Lines appear here while this page is open.')];
    const lag = samples.map(({at, lag: value}) => ({at, value}));
    const rate = samples.map(({at, rate: value}) => ({at, value}));
    const last = samples[samples.length - 1];
    const changes = (n) => plural(n, 'change');
    const traffic = (n) => `${bytes(n)} a second`;
    return [[lag, 'Waiting to be exchanged', changes, changes(last.lag)],
            [rate, 'Sent and received', traffic, traffic(last.rate)]]
        .map(([list, label, text, now]) => h('figure', {class: 'plot-box'},
            h('figcaption', {}, h('span', {}, label), h('strong', {}, now)),
            plot(list, width, label, text)))
        .concat(h('p', {class: 'soft small'}, `Since ${time(samples[0].at)}, when this page was ` +
                                              'opened or the node began to answer it.'));
}

function adapterCard(adapter) {
    return h('li', {class: 'card'}, h('h3', {}, adapter.name || 'Connection'),
             h('dl', {class: 'pairs'}, Object.entries(adapter)
                 .filter(([key, value]) => key !== 'name' && typeof value !== 'object')
                 .map(([key, value]) => [h('dt', {}, key.replaceAll('_', ' ')),
                                         h('dd', {}, String(value))])));
}

export function overview(root, path, {on}) {
    const areas = {};
    for (const name of ['hero', 'alarms', 'figures', 'adapters']) areas[name] = h('div', {});
    const mapBox = h('div', {class: 'map-box'});
    const plotBox = h('div', {class: 'plots'});
    const tableBox = h('div', {});
    root.append(areas.hero, areas.alarms,
                h('div', {class: 'grid'},
                  h('section', {class: 'card', 'aria-labelledby': 'map-title'},
                    h('h2', {id: 'map-title'}, 'Your sites'), mapBox),
                  h('div', {class: 'stack-column'}, areas.figures,
                    h('section', {class: 'card', 'aria-labelledby': 'plot-title'},
                      h('h2', {id: 'plot-title'}, 'Between the sites'), plotBox))),
                h('section', {class: 'card', 'aria-labelledby': 'table-title'},
                  h('h2', {id: 'table-title'}, 'Site by site'), tableBox),
                areas.adapters);
    const put = {};
    for (const name of Object.keys(areas)) put[name] = slot(areas[name]);
    const putMap = slot(mapBox), putPlots = slot(plotBox), putTable = slot(tableBox);

    const draw = () => {
        const line = headline(state);
        put.hero(line, () => [hero(line)]);
        if (!state.status) return;
        const all = sites(state);
        const space = state.status.spaces[0];
        const list = alarms(state);
        put.alarms(list, () => list.length
            ? [h('ul', {class: 'alarms', 'aria-label': 'What needs attention'}, list.map(alarm))]
            : []);
        const width = Math.max(280, mapBox.clientWidth || 600);
        putMap([width, all.map((site) => [site.name, site.kind, site.words])],
               () => [map(all, width)]);
        const compared = state.compared;
        putTable([all.map((site) => [site, rootWords(site, compared)])],
                 () => [siteTable(all, compared)]);
        const waiting = state.decisions;
        put.figures([space.records, waiting], () => [h('div', {class: 'figures'},
            figure(number(space.records), space.records === 1 ? 'record' : 'records', '#/records'),
            figure(waiting ? `${number(waiting.count)}${waiting.more ? '+' : ''}` : '–',
                   'to decide', '#/decide'))]);
        const plotWidth = Math.max(200, plotBox.clientWidth || 300);
        putPlots([plotWidth, state.samples.length, state.samples[state.samples.length - 1]],
                 () => plots(plotWidth));
        const adapters = state.status.adapters || [];
        put.adapters(adapters, () => adapters.length
            ? [h('section', {}, h('h2', {}, 'Connected systems'),
                 h('ul', {class: 'cards'}, adapters.map(adapterCard)))]
            : []);
    };
    const watcher = new ResizeObserver(draw);
    watcher.observe(root);
    on(() => watcher.disconnect());
    on(subscribe(draw));
    draw();
}
