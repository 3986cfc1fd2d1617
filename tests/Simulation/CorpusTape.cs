namespace ControlPlane.Simulation;

/// <summary>A small history that once showed a defect, with what is known of it in its comments.</summary>
/// <param name="Mutant">The planted defect that it shows; None: one of the product, which is mended.</param>
/// <param name="Invariant">What did not hold then.</param>
sealed record CorpusTape(string Name, Mutant Mutant, string Invariant, IReadOnlyList<Choice> Choices)
{
    const string MutantWord = "# mutant: ";
    const string InvariantWord = "# invariant: ";

    public static CorpusTape Read(string name)
    {
        var text = File.ReadAllText(Path.Combine(Sources.Corpus, name));
        return new CorpusTape(name, After(MutantWord) is { } mutant ? Enum.Parse<Mutant>(mutant) : Mutant.None, After(InvariantWord) ?? "", Tape.Read(text));

        string? After(string word) => text.Split('\n').FirstOrDefault(line => line.StartsWith(word, StringComparison.Ordinal))?[word.Length..];
    }

    /// <summary>A file of the corpus.</summary>
    /// <param name="origin">Where it comes from.</param>
    public static string Text(string origin, IReadOnlyList<Choice> choices, Violation found, Mutant mutant)
    {
        var what = found.What.Split('\n')[0];
        return Tape.Write(choices, [
            $"{origin}: {what[..Math.Min(150, what.Length)]}",
            InvariantWord[2..] + found.Invariant,
            .. mutant == Mutant.None ? Array.Empty<string>() : [MutantWord[2..] + mutant],
        ]);
    }
}
