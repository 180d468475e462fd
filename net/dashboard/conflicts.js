// What waits for a person: fields with two values, and what lists.js has.

import {get, post, query} from './client.js';
import {busy, button, empty, failed, h, loading, toast} from './dom.js';
import {duplicates, orphans, reviews} from './lists.js';
import {linkOf} from './records.js';
import {onRecords, refreshDecisions} from './state.js';
import {fullTime, time, valueText, writer} from './words.js';

const kPage = 50;

function choice(one, pick) {
    const who = one.site ? [writer(one.site, one.source), one.time ? ', ' : '', one.time
        ? h('time', {datetime: one.time, title: fullTime(one.time)}, time(one.time)) : '']
        : 'nobody has written it';
    const say = one.lost ? 'Somebody counted on, not knowing that the field was taken away'
        : valueText(one.value, 400);
    return h('li', {class: `choice-card ${one.wins ? 'wins' : ''}`},
             h('p', {class: 'choice-value'}, say, one.wins &&
               h('span', {class: 'tag'}, 'shown now')), h('p', {class: 'soft'}, who),
             !one.lost && button(one.wins ? 'Keep this one' : 'Take this one', pick,
                                 one.wins ? '' : 'primary',
                                 {'aria-label': `${one.wins ? 'Keep' : 'Take'} this one: ${say}, by ` +
                                                `${one.site || 'nobody'}`}));
}

function card(record, field, values, again) {
    const {collection, id, version} = record;
    const alias = field === '_alias';
    const pick = (one) => async (event) => busy(event.currentTarget, async () => {
        try {
            if (alias)
                await post('/v1/duplicates/merge', {collection, into: one.value, from: id});
            else
                await post('/v1/conflicts/resolve', {collection, id, field, value: one.value,
                                                     if_match: version});
            toast(`Decided: ${valueText(one.value, 60)}`);
        } catch (error) {
            if (error.status !== 412) throw error;
            toast('The record was changed meanwhile; look at it again.', 'bad');
        }
        again();
    });
    const sentence = alias ? 'Two sites merged this record into different ones. Which one is it?'
        : 'Two sites changed it without knowing of each other. Which one is right?';
    return h('section', {class: 'card decision', 'aria-label': `${field} of ${id}`},
             h('h3', {}, alias ? 'Which record is it?' : field, h('span', {class: 'of'}, ' of ',
                 h('a', {href: linkOf(collection, id)}, id), ` in ${collection}`)),
             h('p', {class: 'soft'}, sentence),
             h('ul', {class: 'choices'}, values.map((one) => choice(one, pick(one)))));
}

async function fights(again) {
    let after = '', records = [], next = null;
    for (let i = 0; i < 20 && records.length < kPage; ++i) {
        const page = await get('/v1/conflicts' + query({limit: kPage, after}));
        records = records.concat(page.records);
        next = page.next;
        if (next === null) break;
        after = next;
    }
    const cards = records.flatMap((record) => Object.entries(record.conflicts)
        .map(([field, values]) => card(record, field, values, again)));
    if (!cards.length) return [];
    return [h('section', {}, h('h2', {}, 'Two values at the same time'), cards,
              next !== null && h('p', {class: 'soft'}, 'More come when these are decided.'))];
}

export function decide(root, path, {on}) {
    const box = h('div', {}, loading());
    root.append(h('h1', {}, 'To decide'),
                h('p', {class: 'lead'}, 'Nothing here is lost, and nothing is urgent: every site ' +
                                        'shows the same value until somebody chooses.'), box,
                duplicates());
    let turn = 0;
    const load = async () => {
        const mine = ++turn;
        try {
            const found = (await Promise.all([fights(load), orphans(load), reviews(load)])).flat();
            if (mine !== turn) return;
            box.replaceChildren(...(found.length ? found : [empty('Nothing to decide',
                'When two sites change the same thing at the same time, you choose here.')]));
            refreshDecisions().catch(() => {});
        } catch (error) {
            if (mine === turn) box.replaceChildren(failed(error, load));
        }
    };
    on(onRecords(load));
    load();
}
