using System.Text.Json;

namespace ControlPlane.Cli.Http;

/// <summary>What came of one request. A "no" is a value like any other: the caller decides what it means.</summary>
abstract record Answer
{
    /// <summary>2xx. The body is null when the server sent none.</summary>
    public sealed record Success(int Status, JsonElement? Body, string? ETag, Uri? Location) : Answer;

    /// <summary>Any other status, with what the server said about it.</summary>
    public sealed record Failure(Problem Problem) : Answer;

    /// <summary>No connection came about: the request was not carried out.</summary>
    public sealed record Unreachable(string Reason) : Answer;

    /// <summary>The request went out and no whole answer came back: a change may have happened.</summary>
    public sealed record NoAnswer(string Reason) : Answer;

    Answer() { }
}
