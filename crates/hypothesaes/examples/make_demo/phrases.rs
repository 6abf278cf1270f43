//! What the synthetic reviews are made of: sentences with choices, nothing taken from any person.
//!
//! `[a|b]` stands for one of its parts, `{dish}` for a dish. Choices do not nest.

/// A concept on which the stars depend.
pub struct Concept {
    pub name: &'static str,
    /// Points added to the stars, before noise, rounding and clipping.
    pub effect: f64,
    /// Share of the reviews that have it.
    pub share: f64,
    /// Words by which a reader recognises most of its sentences.
    pub phrases: &'static [&'static str],
    /// Every way it is said; the last ones use none of the phrases.
    pub sentences: &'static [&'static str],
    /// The same words in sentences that mean something else.
    pub decoys: &'static [&'static str],
}

pub const CONCEPTS: &[Concept] = &[
    Concept {
        name: "long wait",
        effect: -0.9,
        share: 0.16,
        phrases: &["wait", "minutes", "slow", "line", "forever", "ages"],
        sentences: &[
            "We [waited|ended up waiting] [thirty|forty|fifty] minutes [for a table|to be seated|before anyone took our order].",
            "The wait [for our food|for a table|at the counter] was [far too long|more than an hour|endless].",
            "[Waiting|Having to wait] [an hour|almost an hour] for [a sandwich|two bowls of soup|the {dish}] tests anyone's patience.",
            "There was a [long|huge] line [out of the door|at the counter] and it [hardly|barely] moved.",
            "We stood in line for [ages|half an hour|what felt like forever].",
            "Service was [painfully|terribly|very] slow, [and nobody seemed to hurry|even with half the room empty].",
            "It took [forever|ages] [to get the check|for the drinks to arrive|before the {dish} came out].",
            "[Forty-five|Thirty|Twenty-five] minutes [went by|passed] before [anyone brought water|we saw a menu].",
            "The kitchen was [so slow|slow as can be] and the {dish} arrived [forty|fifty] minutes after we sat down.",
            "We sat there waiting, [until I went to ask|and two other parties just left].",
            "The long waits [here are well known|are what keeps me away on weekends].",
            "I could have read a novel before the {dish} showed up.",
            "Bring a book, you will have time to finish it before anything happens.",
        ],
        decoys: &[
            "I can't wait to [see what they do in spring|show my sister the view from upstairs].",
            "It is ten minutes [from the station|from my office] on foot.",
            "The place is on the [red|blue] line, right by the [museum|old bridge].",
        ],
    },
    Concept {
        name: "rude staff",
        effect: -1.1,
        share: 0.10,
        phrases: &["rude", "attitude", "rolled", "ignored", "snapped", "unfriendly"],
        sentences: &[
            "The [waiter|server|hostess|cashier] was [rude|incredibly rude|quite rude] [to us|to the couple next to us|from the start].",
            "Our [waiter|server] rolled [his|her] eyes when [I asked for water|we asked about the {dish}].",
            "The [manager|bartender|cashier] snapped at [us|my mother|a guest] for [moving a chair|asking a question].",
            "The staff [ignored us|kept ignoring our table] [the whole evening|while chatting at the bar].",
            "What an attitude [from the hostess|behind the bar|at the front desk].",
            "The [server|cashier] had an attitude and [sighed at every question|never once looked up].",
            "Unfriendly [service|staff], [not one hello|no please and no thanks].",
            "I have never been treated so rudely [in a restaurant|by a manager].",
            "The rudeness of the [manager|waiter] [was hard to believe|spoiled the evening].",
            "They were unfriendly [on the phone and worse at the door|when we asked to switch seats].",
            "The [waiter|hostess] talked to us as if we were a bother.",
            "A shrug was all the [server|manager] had for us.",
        ],
        decoys: &[
            "They serve a rolled [omelette|pancake] that I had not seen before.",
            "My friend snapped a picture of [the door|the sign outside].",
        ],
    },
    Concept {
        name: "cold food",
        effect: -0.8,
        share: 0.11,
        phrases: &["cold", "lukewarm", "reheated", "microwaved", "frozen"],
        sentences: &[
            "The {dish} [was|came out|arrived] [cold|stone cold|already cold].",
            "My {dish} was [lukewarm|barely lukewarm] [at best|when it reached us].",
            "I sent the {dish} back because it was cold [in the middle|all the way through].",
            "The {dish} tasted [reheated|microwaved], [hot at the rim and cold inside|dry on top].",
            "[Half of|Most of] our food was cold [by the time it came|when they set it down].",
            "The {dish} was still frozen [in the centre|at the bottom].",
            "They had clearly reheated the {dish} [from the day before|and not for long enough].",
            "Cold {dish}, cold plates, [cold gravy|cold rice].",
            "Everything on the plate was lukewarm, [even the gravy|the {dish} most of all].",
            "They microwave the {dish}, and [it shows|not for long].",
            "The {dish} had lost all its heat somewhere on the way from the kitchen.",
        ],
        decoys: &[
            "It was a cold [evening|morning|night] and [we kept our coats on|the windows were fogged up].",
            "They sell frozen [dumplings|bread] to take home.",
            "I had a cold that week and [stuck to tea|could not smell a thing].",
        ],
    },
    Concept {
        name: "dirty tables",
        effect: -0.8,
        share: 0.10,
        phrases: &["dirty", "sticky", "wiped", "crumbs", "filthy", "stains"],
        sentences: &[
            "The table was [sticky|dirty|filthy] [and stayed that way|when we sat down].",
            "Nobody had wiped [the table|our table|the seats] [all day|after the last guests].",
            "There were crumbs [all over the seats|on every chair|under our plates].",
            "The menus were [sticky|full of stains] and [so was the table|the salt shaker was no better].",
            "[Dirty|Filthy] [forks|glasses|plates], [twice in one meal|and nobody cared].",
            "My glass had stains [on the rim|all over] and the fork was dirty too.",
            "The floor was [filthy|dirty] and [the tables were sticky|crumbs crunched under our shoes].",
            "I asked them to wipe the table and [they wiped half of it|got a damp rag].",
            "Stains [on the cloth|on the seats], [crumbs in the corners|a sticky floor].",
            "The dirt on the [window sill|floor] had clearly been there for weeks.",
            "Somebody else's leftovers were still in front of us when we were seated.",
        ],
        decoys: &[
            "My colleague had a dirty martini [with three olives|and liked it].",
            "We were wiped out after [a long hike|a day of moving boxes].",
        ],
    },
    Concept {
        name: "wrong order",
        effect: -0.7,
        share: 0.10,
        phrases: &["wrong", "mixed up", "forgot", "missing", "mistake"],
        sentences: &[
            "They got our order wrong [twice|again|completely].",
            "They brought the wrong {dish} [and argued about it|and took it away again].",
            "Our order was mixed up with [the next table's|somebody else's].",
            "The kitchen mixed up [the two plates|our orders] and [nobody noticed|we had to swap].",
            "They forgot [the side dishes|the {dish}|half of what we asked for].",
            "The {dish} was missing [from the bag|from our order] when we got home.",
            "[Two|Three] things were missing and one was wrong.",
            "There was a mistake [on the bill|in our order], [and not a small one|like last time].",
            "I asked for no onions and they forgot, [again|as always].",
            "The wrong [dressing|sauce] came with the {dish}.",
            "They keep forgetting [the extras|what you ask for] and [the mistakes|the mix-ups] add up.",
            "I asked for the {dish} and was handed something I had never heard of.",
        ],
        decoys: &[
            "I took the wrong [exit|turn] and came in through the back.",
            "I forgot my umbrella [at home|in the car].",
        ],
    },
    Concept {
        name: "great value",
        effect: 0.7,
        share: 0.13,
        phrases: &["value", "price", "cheap", "affordable", "bargain", "reasonable"],
        sentences: &[
            "[Great|Good|Excellent] value for [the money|what you pay].",
            "The prices are [very reasonable|fair|low for this part of town].",
            "[Cheap|Really cheap] and [filling|plentiful], [you leave with change|two can eat for ten].",
            "An affordable [lunch|dinner] [in an expensive city|for a family of five].",
            "At that price the {dish} is a [real|true|complete] bargain.",
            "The lunch deal is a bargain, [soup included|with the {dish} and a drink].",
            "Hard to find [better value|such reasonable prices] [around here|anywhere else].",
            "The {dish} is [priced fairly|reasonably priced] and [large enough for two|big].",
            "It is [cheaper|more affordable] than [cooking at home|anything else on the street].",
            "For the price, [the portions are huge|you get a lot].",
            "We paid next to nothing and left full.",
        ],
        decoys: &[
            "The prices are written on [a chalkboard|a paper slip].",
            "My aunt values [a quiet corner|a window seat] above everything.",
        ],
    },
    Concept {
        name: "warm welcome",
        effect: 0.8,
        share: 0.13,
        phrases: &["friendly", "welcome", "smile", "greeted", "kind"],
        sentences: &[
            "The [owner|hostess|whole team] greeted us [with a smile|at the door|by name].",
            "Such a friendly [crew|owner|place], [always a smile|every single time].",
            "The staff [is|are] friendly and [kind|always smiling].",
            "They made us feel [welcome|so welcome] [from the first minute|the moment we walked in].",
            "Our [server|waiter] was [kind|very kind|friendly] and [patient|quick with advice].",
            "A warm welcome [at the door|as always], [a smile with every plate|and a kind word for the children].",
            "The friendliest [people|staff] [in town|I have met in a long time].",
            "[Everyone|The cook] smiled and [asked how we liked the {dish}|waved us goodbye].",
            "The [owner|cook] came out to greet [every table|us], [so friendly|a kind man].",
            "You are welcomed like [family|an old friend].",
            "It felt like visiting relatives, only with better chairs.",
        ],
        decoys: &[
            "Dogs are welcome [on the patio|outside].",
            "It is a kind of [tavern|diner] with [booths|high stools].",
        ],
    },
    Concept {
        name: "live music",
        effect: 0.5,
        share: 0.11,
        phrases: &["music", "band", "played", "singer", "guitar", "jazz"],
        sentences: &[
            "There was live music [on the small stage|all night|in the back room].",
            "A [jazz trio|small band|guitar duo] played [all evening|while we ate|near the window].",
            "The singer [had a lovely voice|took requests|sang old songs].",
            "The live band [played|was playing] [old songs|jazz|until late].",
            "[Jazz|Guitar music] on [Thursdays|Fridays|Sundays], [played by locals|and a different band each week].",
            "We stayed for the music, [the band was great|the guitarist was very good].",
            "The musicians played [between the tables|two long sets].",
            "A singer and a [piano|guitar], [nothing more is needed|that was the evening].",
            "Musicians from the [school|neighbourhood] sing here on weekends.",
            "Someone sat down at the old piano and the whole room went quiet.",
        ],
        decoys: &[
            "The children played [cards|under the table].",
            "A rubber band held the [menu|napkins] together.",
        ],
    },
    Concept {
        name: "fresh ingredients",
        effect: 0.7,
        share: 0.13,
        phrases: &["fresh", "crisp", "garden", "market", "season"],
        sentences: &[
            "Everything [tasted|was] [fresh|so fresh|very fresh].",
            "The [vegetables|herbs|tomatoes] are [fresh|crisp|fresh from the market].",
            "Fresh [herbs|vegetables|fish] [from the market|from their own garden|every morning].",
            "You can taste the freshness [in every bite|of the {dish}].",
            "The {dish} was made with fresh [herbs|tomatoes|greens] and [crisp peppers|good oil].",
            "They cook with what is in season, [straight from the garden|bought at the market].",
            "Crisp [lettuce|greens], [fresh bread|ripe tomatoes], [fresh basil|a lemon from the garden].",
            "The fish was the freshest [I have had|this far from the sea].",
            "Seasonal [vegetables|greens], [nothing from a can|all from the market].",
            "The {dish} was prepared freshly [in front of us|for each table].",
            "The tomatoes tasted as if someone had picked them an hour ago.",
        ],
        decoys: &[
            "We went out for some fresh air [between courses|before leaving].",
            "The walls got a fresh coat of [green|white] paint.",
            "They are next to the flower market.",
        ],
    },
    Concept {
        name: "homemade desserts",
        effect: 0.6,
        share: 0.12,
        phrases: &["dessert", "homemade", "pie", "cake", "baked", "pudding"],
        sentences: &[
            "The homemade [pie|cake|pudding|ice cream] [was wonderful|is a must|won us over].",
            "[Save room|Leave space] for dessert, [the pie is baked here|the cake is homemade].",
            "For dessert we shared [the apple pie|a slice of lemon cake|the rice pudding].",
            "Their desserts are [homemade|baked in house|made by the owner's mother].",
            "The [cherry|apple|pecan] pie [was still warm|has a perfect crust].",
            "The [carrot|chocolate|almond] cake is baked [every morning|in their own oven].",
            "[Bread pudding|Rice pudding|Plum pudding] like [grandmother's|in the old days].",
            "They bake [the cakes|the pies|all their desserts] themselves.",
            "The dessert [tray|cart] [alone is worth the trip|made the evening].",
            "Every sweet thing on the counter comes out of their own oven.",
        ],
        decoys: &[
            "We had brought our own cake for [the birthday|my niece].",
            "The square outside bakes in the [noon|summer] sun.",
        ],
    },
];

/// Topics on which nothing depends, with their share of the reviews.
pub const TOPICS: &[(f64, &[&str])] = &[
    (
        0.20,
        &[
            "[Parking|Finding a parking spot] [is easy after six|took two rounds of the block].",
            "There is a [garage|parking lot] [across the street|behind the building].",
            "We parked [on the street|by the church|near the library].",
        ],
    ),
    (
        0.16,
        &[
            "It [rained|snowed|was pouring] [when we arrived|the whole time].",
            "The sun was out and [we sat on the terrace|the terrace was open].",
            "A windy day, [so we sat inside|the umbrellas were closed].",
        ],
    ),
    (
        0.16,
        &[
            "We were there for [my birthday|an anniversary|my son's graduation].",
            "[A family party|A birthday party|Eight of us] took the [long table|back room].",
            "We [celebrated|were celebrating] [a new job|my sister's exam].",
        ],
    ),
    (
        0.18,
        &[
            "I had a [glass of red wine|pale ale|ginger beer|gin and tonic].",
            "The wine list [covers two pages|is mostly Italian].",
            "They pour [three local beers|cider from the region].",
        ],
    ),
    (
        0.18,
        &[
            "The walls are [dark wood|brick|painted green] with [old maps|photographs|mirrors].",
            "The room has [high ceilings|low lamps|round windows].",
            "[Old maps|Copper pans|Film posters] hang on the walls.",
        ],
    ),
    (
        0.16,
        &[
            "It is [in the old town|near the harbour|by the train station|on the hill].",
            "The restaurant sits [above a bookshop|on a corner|in a former bank].",
            "You find it [in a side street|on the square|past the town hall].",
        ],
    ),
    (
        0.14,
        &[
            "The menu [has four pages|changes every month|fits on one page].",
            "There are [two|several] vegetarian [dishes|choices] on the menu.",
            "The menu is in [English and Spanish|three languages].",
        ],
    ),
    (
        0.12,
        &[
            "The [game|match] was on [three screens|the big screen].",
            "A television [over the bar|in the corner] showed [football|baseball|tennis].",
        ],
    ),
    (
        0.14,
        &[
            "[Booking|A reservation] [works by phone|is done online|was not needed].",
            "We had reserved [a booth|for seven|by the window].",
        ],
    ),
    (
        0.12,
        &[
            "They take [cards|cash only|cards and cash].",
            "We [split the check|paid by card|tipped in cash].",
        ],
    ),
    (
        0.12,
        &[
            "There is a high chair for [toddlers|babies] and [crayons|a small shelf of toys].",
            "[Our kids|The twins|My nephews] drew [pictures|dinosaurs] on the paper mats.",
        ],
    ),
    (
        0.12,
        &[
            "I drank [mint tea|black coffee|an espresso|a cup of tea] [afterwards|first].",
            "Coffee comes [with a biscuit|in small cups].",
        ],
    ),
];

pub const OPENERS: &[&str] = &[
    "[Stopped by|Dropped in|Came here] on a [Monday|Tuesday|Wednesday|Saturday] [evening|afternoon].",
    "[First|Second|Third] visit [this year|since they opened|in a while].",
    "[My wife|My brother|A friend|A colleague] and I [had dinner|had lunch|met] here [last week|in March|in October].",
    "We were [five|three|four|six] people [on a weeknight|after a concert|before the theatre].",
    "A [neighbour|cousin|taxi driver] had mentioned this place.",
    "[Lunch|Dinner|Brunch] with [coworkers|my parents|old classmates].",
];

pub const DISHES_EATEN: &[&str] = &[
    "I had the {dish} and [my friend|my sister|he|she] had the {dish}.",
    "The {dish} comes with [rice|bread|beans|a small salad].",
    "We ordered the {dish}.",
    "My choice was the {dish}.",
    "The {dish} is [spicy|mild|on the salty side].",
];

pub const CLOSERS: &[&str] = &[
    "[That was|So much for] our [evening|visit].",
    "We left around [nine|ten|two].",
    "They are open until [ten|eleven|midnight].",
    "This is [what I remember|all I can say].",
    "Afterwards we [walked along the river|took the bus|went to the cinema].",
];

pub const DISHES: &[&str] = &[
    "soup",
    "burger",
    "pasta",
    "curry",
    "salad",
    "pizza",
    "omelette",
    "risotto",
    "stew",
    "steak",
    "chicken",
    "lasagna",
    "ramen",
    "burrito",
    "paella",
    "chili",
    "schnitzel",
    "falafel",
    "lamb",
    "quiche",
];
