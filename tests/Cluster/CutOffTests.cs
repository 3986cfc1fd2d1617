using ControlPlane.Host.Engine;
using ControlPlane.Host.Engine.Clustering;

namespace ControlPlane.Tests.Cluster;

public sealed class CutOffTests
{
    static readonly TimeSpan Silent = Numbers.DatabaseSilentMax;

    static readonly TimeSpan Away = Numbers.DatabaseSeenMax;

    readonly CutOff _rule = new();

    [Fact]
    public void Node_ends_at_the_last_of_its_looks_in_a_row_at_which_a_peer_had_the_database()
    {
        for (var look = 1; look <= Numbers.DatabaseLooks; look++)
        {
            Assert.True(_rule.Look(Silent));
            Assert.Equal(look == Numbers.DatabaseLooks, _rule.Hear(Silent, TimeSpan.Zero));
        }
    }

    [Fact]
    public void Start_of_a_peer_is_no_answer_of_the_database()
    {
        for (var look = 0; look <= Numbers.DatabaseLooks; look++)
        {
            _rule.Look(Silent);
            Assert.False(_rule.Hear(Silent, CutOff.AtStart));
        }
    }

    [Fact]
    public void Many_words_within_one_look_count_once()
    {
        _rule.Look(Silent);
        Assert.DoesNotContain(true, Enumerable.Range(0, 10).Select(_ => _rule.Hear(Silent, TimeSpan.Zero)));
    }

    [Fact]
    public void Look_without_a_word_of_a_peer_that_has_the_database_begins_the_count_anew()
    {
        for (var look = 1; look < Numbers.DatabaseLooks; look++)
        {
            _rule.Look(Silent);
            _rule.Hear(Silent, TimeSpan.Zero);
        }
        _rule.Look(Silent);
        Assert.False(_rule.Hear(Silent, Away));
        _rule.Look(Silent);
        Assert.False(_rule.Hear(Silent, TimeSpan.Zero));
    }

    [Fact]
    public void Node_that_the_database_answers_asks_nobody_and_hears_nobody()
    {
        var answered = Silent - TimeSpan.FromMilliseconds(1);
        for (var look = 0; look < 2 * Numbers.DatabaseLooks; look++)
        {
            Assert.False(_rule.Look(answered));
            Assert.False(_rule.Hear(answered, TimeSpan.Zero));
        }
    }
}
