using System.Runtime.InteropServices;

namespace ControlPlane.Simulation;

/// <summary>One choice that was not "nothing".</summary>
/// <param name="Stream">What it was about.</param>
/// <param name="Index">The how manieth of its stream.</param>
public readonly record struct Choice(string Stream, int Index, int Value);

/// <summary>
/// The only source of luck. Each stream of choices has a name and numbers of its own, a pure function of seed, name and
/// index, so that one more choice here changes none there. The value 0 always means "nothing happens": a run with all
/// choices at 0 is the quiet one, and a failing run is made smaller by setting choices to 0.
/// </summary>
public sealed class Choices
{
    readonly ulong _seed;
    readonly bool _quiet;
    readonly IReadOnlyDictionary<(string, int), int> _given;
    readonly Dictionary<string, Stream> _streams = new(StringComparer.Ordinal);
    readonly List<Choice> _taken = [];

    Choices(ulong seed, bool quiet, IReadOnlyDictionary<(string, int), int> given) => (_seed, _quiet, _given) = (seed, quiet, given);

    public static Choices Of(ulong seed) => new(seed, quiet: false, new Dictionary<(string, int), int>());

    /// <summary>What the tape says, and nothing else.</summary>
    public static Choices Of(IEnumerable<Choice> tape) =>
        new(0, quiet: true, tape.ToDictionary(choice => (choice.Stream, choice.Index), choice => choice.Value));

    /// <summary>All choices so far that were not 0: the tape that gives the same run.</summary>
    public IReadOnlyList<Choice> Taken => _taken;

    /// <summary>0 to <paramref name="bound"/> - 1.</summary>
    public int Next(string stream, int bound)
    {
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(_streams, stream, out var known);
        if (!known)
        {
            place = new Stream(Hash(stream));
        }
        var index = place.Next++;
        var value = _quiet
            ? Math.Min(_given.GetValueOrDefault((stream, index)), bound - 1)
            : (int)(Mix(unchecked(_seed ^ place.Hash ^ ((ulong)index * 0x9E3779B97F4A7C15))) % (ulong)bound);
        if (value != 0)
        {
            _taken.Add(new Choice(stream, index, value));
        }
        return value;
    }

    /// <summary>True that often in a thousand.</summary>
    public bool Happens(string stream, int perMille) => perMille > 0 && Next(stream, 1_000) >= 1_000 - perMille;

    public T Pick<T>(string stream, IReadOnlyList<T> among) => among[Next(stream, among.Count)];

    /// <summary>From <paramref name="least"/>, which stands for nothing special, up.</summary>
    public TimeSpan Between(string stream, TimeSpan least, TimeSpan most) => least + ((most - least) * (Next(stream, 1_000) / 1_000.0));

    static ulong Hash(string text)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in text)
        {
            hash = unchecked((hash ^ c) * 1099511628211UL);
        }
        return hash;
    }

    /// <summary>The finalizer of SplitMix64.</summary>
    static ulong Mix(ulong z)
    {
        unchecked
        {
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
            return z ^ (z >> 31);
        }
    }

    struct Stream(ulong hash)
    {
        public readonly ulong Hash = hash;
        public int Next;
    }
}

/// <summary>Luck in the form that production code takes: jitter of a back-off, from a stream of its own.</summary>
public sealed class ChosenRandom(Choices luck, string stream) : Random
{
    public override double NextDouble() => luck.Next(stream, 1_000) / 1_000.0;

    public override int Next(int maxValue) => luck.Next(stream, maxValue);
}
